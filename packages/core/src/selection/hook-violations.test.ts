import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../model/json.ts';
import { hookViolations } from './hook-violations.ts';

const exec = { command: ['sh', '-c', 'sync'] };

function paths(hooks: JsonValue): readonly string[] {
  return hookViolations(hooks).map(({ path }) => path.replace('spec.hooks.resources[0].', ''));
}

function pathsOf(entry: Readonly<Record<string, JsonValue>>): readonly string[] {
  return paths({ resources: [{ name: 'freeze', ...entry }] });
}

describe('hookViolations', () => {
  it.each<[string, JsonValue | undefined]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['no resources', { resources: null }],
    [
      'all there is',
      {
        resources: [
          {
            name: 'freeze',
            includedNamespaces: ['shop-*'],
            excludedNamespaces: ['shop-test'],
            includedResources: ['pods'],
            excludedResources: null,
            labelSelector: { matchLabels: { app: 'db' } },
            pre: [{ exec: { ...exec, container: 'db', onError: 'Continue', timeout: '1m30s' } }],
            post: [{ exec }],
          },
        ],
      },
    ],
  ])('accepts %s', (_what, hooks) => {
    expect(hookViolations(hooks)).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, JsonValue>>, readonly string[]]>([
    ['an empty name', { name: '' }, ['name']],
    ['no name', { name: null }, ['name']],
    ['a misspelt field', { preHooks: [] }, ['preHooks']],
    ['hooks that are no list', { pre: { exec } }, ['pre']],
    ['a hook that runs nothing', { pre: [{}] }, ['pre[0].exec']],
    ['a hook of another kind', { post: [{ exec, http: {} }] }, ['post[0].http']],
    ['no command', { pre: [{ exec: {} }] }, ['pre[0].exec.command']],
    ['an empty command', { pre: [{ exec: { command: [] } }] }, ['pre[0].exec.command']],
    ['a program without a name', { pre: [{ exec: { command: [''] } }] }, ['pre[0].exec.command']],
    ['a command that is a text', { pre: [{ exec: { command: 'sync' } }] }, ['pre[0].exec.command']],
    ['a number in a command', { pre: [{ exec: { command: ['a', 1] } }] }, ['pre[0].exec.command']],
    [
      'a strange container',
      { pre: [{ exec: { ...exec, container: 'A b' } }] },
      ['pre[0].exec.container'],
    ],
    [
      'a strange onError',
      { post: [{ exec: { ...exec, onError: 'fail' } }] },
      ['post[0].exec.onError'],
    ],
    [
      'a negative timeout',
      { pre: [{ exec: { ...exec, timeout: '-1s' } }] },
      ['pre[0].exec.timeout'],
    ],
    [
      'a timeout without a unit',
      { pre: [{ exec: { ...exec, timeout: '30' } }] },
      ['pre[0].exec.timeout'],
    ],
    ['a strange selector', { labelSelector: { app: 'db' } }, ['labelSelector.app']],
    ['a namespace that is none', { includedNamespaces: ['A/b'] }, ['includedNamespaces[0]']],
    [
      'a resource in both lists',
      { includedResources: ['pods'], excludedResources: ['pods'] },
      ['excludedResources[0]'],
    ],
  ])('refuses %s', (_what, entry, expected) => {
    expect(pathsOf(entry)).toEqual(expected);
  });

  it('finds what is wrong in every hook at once', () => {
    const hooks = { resources: [{ name: '' }, { name: 'b', pre: [{ exec: {} }] }], other: 1 };
    expect(hookViolations(hooks).map(({ path }) => path)).toEqual([
      'spec.hooks.resources[0].name',
      'spec.hooks.resources[1].pre[0].exec.command',
      'spec.hooks.other',
    ]);
  });
});
