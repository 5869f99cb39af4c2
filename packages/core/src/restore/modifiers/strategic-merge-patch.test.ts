import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { PatchFailure } from '../../model/patch-failure.ts';
import { mergeSchemaOf } from './merge-keys.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

const kinds = {
  pod: { apiVersion: 'v1', kind: 'Pod', metadata: {} },
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: {} },
  service: { apiVersion: 'v1', kind: 'Service', metadata: {} },
  budget: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: {} },
  definition: {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {},
  },
} as const;

function patched(
  kind: keyof typeof kinds,
  { metadata = {}, ...rest }: JsonObject,
  patch: JsonObject,
): JsonObject {
  const {
    apiVersion: _version,
    kind: _kind,
    ...result
  } = applyStrategicMergePatch(
    { ...kinds[kind], metadata, ...rest },
    patch,
    mergeSchemaOf(kinds[kind]) ?? {},
  );
  return result;
}

// The results are those of k8s.io/apimachinery/pkg/util/strategicpatch 0.36.
describe('applyStrategicMergePatch', () => {
  const two = {
    spec: {
      containers: [{ name: 'a', image: '1', env: [{ name: 'X', value: '1' }] }, { name: 'b' }],
    },
  };

  it.each<[string, keyof typeof kinds, JsonObject, JsonObject, JsonObject]>([
    [
      'merges containers by name and their variables by name',
      'pod',
      two,
      { spec: { containers: [{ name: 'a', env: [{ name: 'Y', value: '2' }] }] } },
      {
        spec: {
          containers: [
            {
              name: 'a',
              image: '1',
              env: [
                { name: 'Y', value: '2' },
                { name: 'X', value: '1' },
              ],
            },
            { name: 'b' },
          ],
        },
      },
    ],
    [
      'puts what is new first',
      'pod',
      two,
      { spec: { containers: [{ name: 'sidecar' }] } },
      { spec: { containers: [{ name: 'sidecar' }, ...two.spec.containers] } },
    ],
    [
      'orders by what the patch says',
      'pod',
      two,
      {
        spec: {
          '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }, { name: 'c' }],
          containers: [{ name: 'c' }],
        },
      },
      { spec: { containers: [{ name: 'b' }, two.spec.containers[0] ?? {}, { name: 'c' }] } },
    ],
    [
      'orders a list that it does not change',
      'pod',
      two,
      { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] } },
      { spec: { containers: [{ name: 'b' }, two.spec.containers[0] ?? {}] } },
    ],
    [
      'deletes an element',
      'pod',
      two,
      { spec: { containers: [{ $patch: 'delete', name: 'a' }] } },
      { spec: { containers: [{ name: 'b' }] } },
    ],
    [
      'replaces a list',
      'pod',
      two,
      { spec: { containers: [{ $patch: 'replace' }, { name: 'only' }] } },
      { spec: { containers: [{ name: 'only' }] } },
    ],
    [
      'replaces a list without a merge key',
      'pod',
      { spec: { tolerations: [{ key: 'a' }] } },
      { spec: { tolerations: [{ key: 'b' }] } },
      { spec: { tolerations: [{ key: 'b' }] } },
    ],
    [
      'reaches into pod templates',
      'deployment',
      { spec: { template: { spec: { volumes: [{ name: 'v', emptyDir: {} }] } } } },
      {
        spec: {
          template: {
            spec: {
              volumes: [
                { name: 'v', $retainKeys: ['name', 'secret'], secret: { secretName: 's' } },
              ],
            },
          },
        },
      },
      { spec: { template: { spec: { volumes: [{ name: 'v', secret: { secretName: 's' } }] } } } },
    ],
    [
      'replaces an object',
      'deployment',
      { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: {} }, replicas: 1 } },
      { spec: { strategy: { $patch: 'replace', type: 'Recreate' } } },
      { spec: { strategy: { type: 'Recreate' }, replicas: 1 } },
    ],
    [
      'empties an object',
      'deployment',
      { spec: { strategy: { type: 'Recreate' } } },
      { spec: { strategy: { $patch: 'delete' } } },
      { spec: { strategy: {} } },
    ],
    [
      'replaces the selector of a disruption budget as a whole',
      'budget',
      { spec: { selector: { matchLabels: { app: 'a' } } } },
      { spec: { selector: { matchLabels: { tier: 'b' } } } },
      { spec: { selector: { matchLabels: { tier: 'b' } } } },
    ],
    [
      'removes with null, and adds no null',
      'pod',
      { metadata: { labels: { a: '1', b: '2' } } },
      { metadata: { labels: { a: null, c: null }, annotations: { d: null, e: '3' } } },
      { metadata: { labels: { b: '2' }, annotations: { e: '3' } } },
    ],
    [
      'adds to finalizers and removes from them',
      'pod',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } },
      { metadata: { finalizers: ['b'] } },
    ],
    [
      'unites finalizers',
      'pod',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { finalizers: ['c', 'b'] } },
      { metadata: { finalizers: ['c', 'a', 'b'] } },
    ],
    [
      'takes a list that is not there as it stands',
      'service',
      { spec: {} },
      {
        spec: {
          ports: [
            { port: 53, protocol: 'TCP' },
            { port: 53, protocol: 'UDP' },
          ],
        },
      },
      {
        spec: {
          ports: [
            { port: 53, protocol: 'TCP' },
            { port: 53, protocol: 'UDP' },
          ],
        },
      },
    ],
    [
      'takes other names with a dollar for fields',
      'definition',
      { spec: { schema: { $ref: 'a' } } },
      { spec: { schema: { $ref: 'b' }, $other: 1 } },
      { spec: { schema: { $ref: 'b' }, $other: 1 } },
    ],
  ])('%s', (_what, kind, target, patch, expected) => {
    expect(patched(kind, target, patch)).toEqual({ metadata: {}, ...expected });
  });

  it.each<[string, JsonObject]>([
    ['an element without its merge key', { spec: { containers: [{ image: 'x' }] } }],
    ['a directive of another kind', { spec: { $patch: 'merge' } }],
    [
      'a directive of another kind in a list',
      { spec: { containers: [{ name: 'a', $patch: 'x' }] } },
    ],
    ['keys to retain that lack one', { spec: { $retainKeys: ['a'], b: 1 } }],
    ['keys to retain that are no list', { spec: { $retainKeys: 'a' } }],
    ['an order that is no list', { spec: { '$setElementOrder/containers': 'a' } }],
  ])('refuses %s', (_what, patch) => {
    expect(() => patched('pod', two, patch)).toThrow(PatchFailure);
  });

  it('knows nothing of custom resources', () => {
    const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: {} };
    expect(mergeSchemaOf(widget)).toBeUndefined();
    expect(mergeSchemaOf({ ...widget, apiVersion: 'storage.k8s.io/v1' })).toBeDefined();
  });
});
