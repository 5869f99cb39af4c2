import { describe, expect, it } from 'vitest';
import { chooseVersion, compareVersions } from './choose-version.ts';

type List = readonly string[];

// The first of a list is the preferred one.
it.each<[what: string, archived: List, served: List, priorities: List, chosen: string]>([
  ['what the target prefers', ['v1', 'v2'], ['v2', 'v1'], [], 'v2'],
  ['what the backup prefers', ['v1', 'v1beta1'], ['v2', 'v1', 'v1beta1'], [], 'v1'],
  [
    'the most stable that both have',
    ['v3', 'v1alpha1', 'v1', 'v1beta1'],
    ['v2', 'v1alpha1', 'v1beta1', 'v1'],
    [],
    'v1',
  ],
  ['the only one that both have', ['v2', 'v1'], ['v3', 'v1'], [], 'v1'],
  ['what was asked for first', ['v1', 'v2', 'v3'], ['v1', 'v2', 'v3'], ['v9', 'v3', 'v2'], 'v3'],
  ['not what was asked for and the target lacks', ['v1', 'v3'], ['v1'], ['v3'], 'v1'],
  ['not what was asked for and the backup lacks', ['v1'], ['v1', 'v3'], ['v3'], 'v1'],
  ['what the backup prefers, for there is none in common', ['v1', 'v2'], ['v3'], [], 'v1'],
])('chooses %s', (_, archived, served, priorities, chosen) => {
  const versionsOf = (versions: List) => ({ preferred: versions[0] ?? '', versions });
  expect(chooseVersion(versionsOf(archived), versionsOf(served), priorities)).toBe(chosen);
});

it('chooses what the backup prefers when the target does not serve the resource', () => {
  expect(chooseVersion({ preferred: 'v2', versions: ['v2', 'v1'] }, undefined)).toBe('v2');
});

describe('compareVersions', () => {
  it('orders as Kubernetes does', () => {
    const sorted = [
      'v10',
      'v2',
      'v1',
      'v11beta2',
      'v10beta3',
      'v3beta1',
      'v12alpha1',
      'foo1',
      'v0',
    ];
    for (const versions of [sorted.toReversed(), sorted.toSorted()]) {
      expect(versions.toSorted(compareVersions)).toEqual(sorted);
    }
  });
});
