import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import type { ResourceModifiers } from '../../model/resource-modifiers.ts';
import { Resources } from '../../model/resources.ts';
import { FakeCluster } from '../../testing/fake-cluster/fake-cluster.ts';
import { findResourceModifiers } from './find-resource-modifiers.ts';

const yaml = `version: V1
resourceModifierRules:
- conditions:
    groupResource: persistentvolumeclaims
    resourceNameRegex: "^mysql.*$"
    namespaces: [bar, "foo*"]
    labelSelector: {matchLabels: {app: db}, matchExpressions: [{key: x, operator: Exists}]}
    matches: [{path: /spec/storageClassName, value: premium}]
  patches:
  - {operation: replace, path: /spec/storageClassName, value: standard}
  - {operation: add, path: /spec/count, value: 5}
  - {operation: move, from: /a, path: /b}
- conditions: {groupResource: deployments.apps}
  mergePatches: [{patchData: "spec: {replicas: 1}"}]
- conditions: {groupResource: pods}
  strategicPatches: [{patchData: '{"spec": {}}'}]
`;

async function find(
  source: { readonly spec?: JsonObject; readonly given?: ResourceModifiers | string } = {},
  data?: JsonObject,
): Promise<{ readonly rules?: number | undefined; readonly faults?: readonly string[] }> {
  await using cluster = new FakeCluster();
  await cluster.create(Resources.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'velero' },
  });
  if (data !== undefined) {
    await cluster.create(Resources.configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'velero', name: 'mods' },
      data,
    });
  }
  const found = await findResourceModifiers({
    cluster,
    namespace: 'velero',
    spec: { backupName: 'b', ...source.spec },
    given: source.given,
    signal: undefined,
  });
  return found.violations === undefined
    ? { rules: found.modifiers?.resourceModifierRules?.length }
    : { faults: found.violations.map(({ path, rule }) => `${path} ${rule}`) };
}

const named: JsonObject = { resourceModifier: { kind: 'configmap', name: 'mods' } };

describe('findResourceModifiers', () => {
  it('finds none where none are asked for', async () => {
    expect(await find()).toEqual({ rules: undefined });
  });

  it('reads the one document of the ConfigMap that the spec names', async () => {
    expect(await find({ spec: named }, { 'any.yaml': yaml })).toEqual({ rules: 3 });
  });

  it('takes text and objects of the caller', async () => {
    expect(await find({ given: yaml })).toEqual({ rules: 3 });
    expect(await find({ given: { version: 'v1' } })).toEqual({ rules: undefined });
  });

  it.each<[string, Parameters<typeof find>, string]>([
    ['both', [{ spec: named, given: yaml }], 'options.resourceModifiers cannot be combined'],
    ['a missing ConfigMap', [{ spec: named }], 'spec.resourceModifier.name must name a ConfigMap'],
    ['two documents', [{ spec: named }, { a: yaml, b: yaml }], 'exactly one key'],
    [
      'another kind',
      [{ spec: { resourceModifier: { kind: 'Secret', name: 'mods' } } }],
      'spec.resourceModifier.kind must be ConfigMap',
    ],
    [
      'no name',
      [{ spec: { resourceModifier: { kind: 'ConfigMap' } } }],
      'spec.resourceModifier.name must name a ConfigMap',
    ],
    [
      'no YAML',
      [{ spec: named }, { a: 'version: [' }],
      'spec.resourceModifier.data["a"] must be YAML',
    ],
  ])('refuses %s', async (_what, input, expected) => {
    const { faults = [] } = await find(...input);
    expect(faults).toEqual([expect.stringContaining(expected)]);
  });

  it('names every fault with its place', async () => {
    const faulty = `version: v2
other: 1
resourceModifierRules:
- conditions: {resourceNameRegex: "(?=a)", namespaces: x, unknown: 1, matches: [{value: nan}]}
  patches: [{operation: move, path: a}, {operation: increment, path: /a}, {operation: add, path: /a, value: "{"}]
  mergePatches: [{patchData: "[1]"}, {patchData: "a: ["}, {}]
- patches: []
`;
    const { faults = [] } = await find({ given: faulty });
    const expected = [
      'version must be "v1"',
      'other is not a field',
      'Rules[0].conditions.groupResource is required',
      'Rules[0].conditions.resourceNameRegex must be a regular expression',
      'Rules[0].conditions.namespaces must be a list',
      'Rules[0].conditions.unknown is not a field',
      'Rules[0].conditions.matches[0].path is required',
      'Rules[0].conditions.matches[0].value must be JSON',
      'Rules[0].patches[0].path must be a JSON pointer',
      'Rules[0].patches[0].from is required by move',
      'Rules[0].patches[1].operation must be',
      'Rules[0].patches[2].value must be JSON',
      'Rules[0].mergePatches[0].patchData must be an object',
      'Rules[0].mergePatches[1].patchData must be YAML',
      'Rules[0].mergePatches[2].patchData is required',
      'Rules[0] must have patches of one kind',
      'Rules[1].conditions is required',
    ];
    for (const part of expected) {
      expect(faults).toContainEqual(expect.stringContaining(part));
    }
    expect(faults).toHaveLength(expected.length);
  });
});
