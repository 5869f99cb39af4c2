import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createNamespaceFilter } from './namespace-filter.ts';

const live = ['default', 'kube-system', 'shop', 'shop-test'];

describe('createNamespaceFilter', () => {
  it.each<[string, string[], string[], string[], boolean]>([
    ['nothing', [], [], live, true],
    ['a star', ['*'], [], live, true],
    ['one name', ['shop'], [], ['shop'], false],
    ['a pattern', ['shop*'], [], ['shop', 'shop-test'], false],
    ['a pattern and a name', ['kube-*', 'shop'], [], ['kube-system', 'shop'], false],
    ['a character set', ['[ds]*'], [], ['default', 'shop', 'shop-test'], false],
    ['an exclusion', [], ['shop'], ['default', 'kube-system', 'shop-test'], false],
    ['an exclusion of a pattern', ['*'], ['shop*'], ['default', 'kube-system'], false],
    ['an exclusion of nothing', ['*'], ['gone'], live, false],
    ['an inclusion that is excluded', ['shop'], ['sho?'], [], false],
    ['every name, but no pattern', live, [], live, false],
    ['every name, one by a pattern', [...live.slice(1), 'def*'], [], live, true],
    ['patterns that come down to every name', ['d*', 'k*', 's*'], [], live, true],
    ['every name and a missing one', ['*a*', 'shop*', 'k*', 'gone'], [], live, false],
    ['a pattern that matches nothing', ['x*'], [], [], false],
  ])('%s', (_what, included, excluded, names, includesEverything) => {
    const filter = createNamespaceFilter({ included, excluded }, live);
    expect(filter.names).toEqual(names);
    expect(filter.includesEverything).toBe(includesEverything);
  });

  it('names what is included but does not exist, patterns and excluded names aside', () => {
    const filter = createNamespaceFilter(
      { included: ['shop', 'gone', 'gone', 'x*', 'out'], excluded: ['out'] },
      live,
    );
    expect(filter.missing).toEqual(['gone']);
  });

  it('does not take a pattern that matches nothing in an empty cluster for everything', () => {
    expect(createNamespaceFilter({ included: ['x*'], excluded: [] }, []).includesEverything).toBe(
      false,
    );
  });

  it('answers like a plain model for names and the star', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'a-b', 'constructor');
    const list = fc.array(fc.oneof({ weight: 5, arbitrary: name }, fc.constant('*')), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(list, list, name, (included, excluded, namespace) => {
        const has = (names: readonly string[]): boolean =>
          names.some((one) => one === '*' || one === namespace);
        expect(createNamespaceFilter({ included, excluded }, []).includes(namespace)).toBe(
          (included.length === 0 || has(included)) && !has(excluded),
        );
      }),
    );
  });
});
