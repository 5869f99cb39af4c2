import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LabelSelector } from '../model/backup.ts';
import {
  formatLabelSelector,
  matchesLabelSelector,
  parseLabelSelector,
} from '../model/label-selector.ts';
import { labelSelectorsOf } from './label-selectors-of.ts';

describe('label selectors', () => {
  const key = fc.constantFrom('app', 'tier', 'example.com/x', 'constructor');
  const value = fc.constantFrom('', 'a', 'b', 'c.d');
  const labels = fc.dictionary(key, value, { maxKeys: 3 });
  const requirement = fc.oneof(
    fc.record({
      key,
      operator: fc.constantFrom('In' as const, 'NotIn' as const),
      values: fc.uniqueArray(value, { minLength: 1, maxLength: 2 }),
    }),
    fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
  );
  const selector: fc.Arbitrary<LabelSelector> = fc.record({
    matchLabels: fc.dictionary(key, value, { maxKeys: 2 }),
    matchExpressions: fc.array(requirement, { maxLength: 2 }),
  });

  /** Each requirement by itself, in the words of the Kubernetes documentation. */
  function meets(
    of: Record<string, string>,
    { matchLabels, matchExpressions }: LabelSelector,
  ): boolean {
    const own = new Map(Object.entries(of));
    const plain = Object.entries(matchLabels ?? {}).every(
      ([name, wanted]) => own.get(name) === wanted,
    );
    return (
      plain &&
      (matchExpressions ?? []).every(({ key: name, operator, values = [] }) => {
        const isOne = own.has(name) && values.some((one) => one === own.get(name));
        return { In: isOne, NotIn: !isOne, Exists: own.has(name), DoesNotExist: !own.has(name) }[
          operator
        ];
      })
    );
  }

  it('match as their requirements say, also after they were written and read', () => {
    fc.assert(
      fc.property(labels, selector, (of, one) => {
        const expected = meets(of, one);
        expect(matchesLabelSelector(of, one)).toBe(expected);
        expect(matchesLabelSelector(of, parseLabelSelector(formatLabelSelector(one)))).toBe(
          expected,
        );
      }),
    );
  });

  it('select together what one of them selects', () => {
    fc.assert(
      fc.property(labels, fc.array(selector, { maxLength: 3 }), (of, alternatives) => {
        const read = labelSelectorsOf({ orLabelSelectors: alternatives });
        const expected = alternatives.length === 0 || alternatives.some((one) => meets(of, one));
        expect(read.length === 0 || read.some((one) => matchesLabelSelector(of, one))).toBe(
          expected,
        );
      }),
    );
  });
});
