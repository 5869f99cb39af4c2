import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../model/json.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { applyManifest } from './server-side-apply.ts';

function live(
  data: JsonObject,
  ...managers: readonly [string, string, JsonObject][]
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'a',
      managedFields: managers.map(([manager, operation, fields]) => ({
        manager,
        operation,
        fieldsV1: { 'f:data': fields },
      })),
    },
    data,
  };
}

function manifest(data: JsonObject): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data };
}

describe('applyManifest', () => {
  it('sets what the manifest names and leaves the rest', () => {
    const { object, conflicts } = applyManifest(
      live({ kept: '1' }),
      manifest({ set: '2' }),
      'me',
      undefined,
    );
    expect(object['data']).toEqual({ kept: '1', set: '2' });
    expect(conflicts).toEqual([]);
  });

  it('removes what its manager applied before and no longer names', () => {
    const before = live({ mine: '1', theirs: '1' }, ['me', 'Apply', { 'f:mine': {} }]);
    const { object } = applyManifest(before, manifest({}), 'me', undefined);
    expect(object['data']).toEqual({ theirs: '1' });
  });

  it('keeps what another manager owns too', () => {
    const before = live(
      { shared: '1' },
      ['me', 'Apply', { 'f:shared': {} }],
      ['you', 'Apply', { 'f:shared': {} }],
    );
    const { object } = applyManifest(before, manifest({}), 'me', undefined);
    expect(object['data']).toEqual({ shared: '1' });
  });

  it("reports a change of another manager's field as a conflict", () => {
    const before = live({ k: '1' }, ['you', 'Update', { 'f:k': {} }]);
    const { conflicts } = applyManifest(before, manifest({ k: '2' }), 'me', undefined);
    expect(conflicts).toEqual([{ manager: 'you', field: '.data.k' }]);
  });

  it('shares a field that has the same value', () => {
    const before = live({ k: '1' }, ['you', 'Update', { 'f:k': {} }]);
    const { conflicts } = applyManifest(before, manifest({ k: '1' }), 'me', undefined);
    expect(conflicts).toEqual([]);
  });

  it('takes finalizers as a set', () => {
    const before: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', finalizers: ['theirs'] },
    };
    const applied = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', finalizers: ['mine'] },
    };
    const { object } = applyManifest(before, applied, 'me', undefined);
    expect(object['metadata']).toMatchObject({ finalizers: ['theirs', 'mine'] });
  });
});
