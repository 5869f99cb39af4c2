import { describe, expect, it } from 'vitest';
import type { Backup } from '../../model/backup.ts';
import type { JsonObject } from '../../model/json.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import type { ResourceModifierRule } from '../../model/resource-modifiers.ts';
import type { Restore } from '../../model/restore.ts';
import { parseYaml } from '../../selection/parse-yaml.ts';
import { FakeCluster } from '../../testing/fake-cluster/fake-cluster.ts';
import { prepareItem } from '../prepare-item.ts';
import { createModifierStep } from './modifier-step.ts';
import { isResourceModifiers } from './resource-modifier-violations.ts';

const backup: Backup = {
  apiVersion: 'velero.io/v1',
  kind: 'Backup',
  metadata: { name: 'b' },
  spec: {},
  status: { version: 1, formatVersion: '1.1.0', phase: 'Completed' },
};
const restore: Restore = {
  apiVersion: 'velero.io/v1',
  kind: 'Restore',
  metadata: { name: 'r' },
  spec: { backupName: 'b' },
  status: { phase: 'InProgress' },
};
const deployment: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web-1', namespace: 'shop', labels: { app: 'web' } },
  spec: { replicas: 3, image: 'old' },
};

async function modified(
  rules: readonly ResourceModifierRule[],
  object: KubernetesObject = deployment,
  groupResource = 'deployments.apps',
): Promise<{ readonly object: JsonObject; readonly issues: readonly string[] }> {
  await using cluster = new FakeCluster();
  const { name, namespace } = object.metadata;
  const prepared = await prepareItem(
    [createModifierStep({ version: 'v1', resourceModifierRules: rules })],
    {
      groupResource,
      target: {
        groupResource,
        name,
        ...(namespace === undefined ? {} : { namespace: 'copy' }),
      },
      itemFromBackup: object,
      restore,
      backup,
      cluster,
      signal: new AbortController().signal,
    },
  );
  if (prepared.kind !== 'manifest') {
    throw new Error(prepared.kind);
  }
  const issues = prepared.issues.map(
    ({ severity, reason, message }) => `${severity} ${reason} ${message}`,
  );
  return { object: prepared.manifest, issues };
}

function zooObject(
  apiVersion: string,
  kind: string,
  metadata: JsonObject & { readonly name: string },
  spec: JsonObject,
): KubernetesObject {
  return { apiVersion, kind, metadata: { namespace: 'zoo', ...metadata }, spec };
}

const toOne: Pick<ResourceModifierRule, 'patches'> = {
  patches: [{ operation: 'replace', path: '/spec/replicas', value: '1' }],
};

describe('the conditions of a rule', () => {
  it.each<[string, ResourceModifierRule['conditions'], boolean]>([
    ['the resource', { groupResource: 'deployments.apps' }, true],
    ['another resource', { groupResource: 'deployments' }, false],
    ['a star within a part', { groupResource: 'deploy*.apps' }, true],
    ['a star that would cross a dot', { groupResource: 'deploy*' }, false],
    ['a star for each part', { groupResource: '*.*' }, true],
    ['alternatives', { groupResource: '{daemonsets,deployments}.apps' }, true],
    ['a set of characters', { groupResource: '[!e]eployments.apps' }, true],
    ['the namespace in the backup', { groupResource: '*.*', namespaces: ['shop'] }, true],
    ['the namespace in the target', { groupResource: '*.*', namespaces: ['copy'] }, false],
    ['a pattern of the namespace', { groupResource: '*.*', namespaces: ['x', 'sh*'] }, true],
    ['a part of the name', { groupResource: '*.*', resourceNameRegex: 'eb' }, true],
    ['not the name', { groupResource: '*.*', resourceNameRegex: '^eb' }, false],
    ['the labels', { groupResource: '*.*', labelSelector: { matchLabels: { app: 'web' } } }, true],
    [
      'other labels',
      { groupResource: '*.*', labelSelector: { matchLabels: { app: 'db' } } },
      false,
    ],
    ['a value', { groupResource: '*.*', matches: [{ path: '/spec/replicas', value: '3' }] }, true],
    [
      'one value of two',
      {
        groupResource: '*.*',
        matches: [
          { path: '/spec/replicas', value: '3' },
          { path: '/spec/image', value: 'new' },
        ],
      },
      false,
    ],
    [
      'a missing value',
      { groupResource: '*.*', matches: [{ path: '/spec/none/x', value: 'null' }] },
      false,
    ],
  ])('%s', async (_what, conditions, applies) => {
    const { object, issues } = await modified([{ conditions, ...toOne }]);
    expect(object).toMatchObject({ spec: { replicas: applies ? 1 : 3 } });
    expect(issues).toEqual([]);
  });

  it('hold for no object without a namespace when namespaces are named', async () => {
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'x' },
    };
    const rule = (namespaces: readonly string[]): ResourceModifierRule => ({
      conditions: { groupResource: 'clusterroles.rbac.authorization.k8s.io', namespaces },
      mergePatches: [{ patchData: '{"metadata":{"annotations":{"a":"b"}}}' }],
    });
    const group = 'clusterroles.rbac.authorization.k8s.io';
    expect((await modified([rule(['shop'])], role, group)).object).not.toHaveProperty(
      'metadata.annotations',
    );
    expect((await modified([rule(['*'])], role, group)).object).toHaveProperty(
      'metadata.annotations',
    );
  });
});

// The modifiers and the results of a restore that Velero 1.18 made.
describe('the modifiers of the reference restore', () => {
  const yaml = `version: v1
resourceModifierRules:
- conditions: {groupResource: persistentvolumeclaims, resourceNameRegex: "^data-dirvol$", namespaces: [zoo]}
  patches: [{operation: replace, path: "/spec/storageClassName", value: "dirvol-wffc"}]
- conditions: {groupResource: deployments.apps, namespaces: [zoo]}
  mergePatches: [{patchData: '{"metadata":{"annotations":{"moved":"yes"}},"spec":{"replicas":1}}'}]
- conditions: {groupResource: pods, labelSelector: {matchLabels: {app: bare}}}
  strategicPatches: [{patchData: '{"spec":{"containers":[{"name":"c","env":[{"name":"X","value":"1"}]}]}}'}]
- conditions: {groupResource: services, matches: [{path: "/spec/type", value: NodePort}]}
  patches: [{operation: remove, path: "/spec/ports/0/nodePort"}, {operation: test, path: "/spec/type", value: NodePort}, {operation: replace, path: "/spec/type", value: ClusterIP}]
`;
  const container = { name: 'c', image: 'busybox:1.36', resources: { limits: { memory: '64Mi' } } };

  it.each<[string, KubernetesObject, JsonObject]>([
    [
      'persistentvolumeclaims',
      zooObject(
        'v1',
        'PersistentVolumeClaim',
        { name: 'data-dirvol' },
        { storageClassName: 'dirvol' },
      ),
      { spec: { storageClassName: 'dirvol-wffc' } },
    ],
    [
      'persistentvolumeclaims',
      zooObject(
        'v1',
        'PersistentVolumeClaim',
        { name: 'data-db-0' },
        { storageClassName: 'hostpath' },
      ),
      { spec: { storageClassName: 'hostpath' } },
    ],
    [
      'deployments.apps',
      zooObject(
        'apps/v1',
        'Deployment',
        { name: 'web', annotations: { kept: 'x' } },
        { replicas: 2 },
      ),
      { metadata: { annotations: { kept: 'x', moved: 'yes' } }, spec: { replicas: 1 } },
    ],
    [
      'pods',
      zooObject(
        'v1',
        'Pod',
        { name: 'bare', labels: { app: 'bare' } },
        { containers: [container] },
      ),
      { spec: { containers: [{ ...container, env: [{ name: 'X', value: '1' }] }] } },
    ],
    [
      'services',
      zooObject(
        'v1',
        'Service',
        { name: 'np' },
        { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }, { port: 81 }] },
      ),
      { spec: { type: 'ClusterIP', ports: [{ port: 80 }, { port: 81 }] } },
    ],
    [
      'services',
      zooObject(
        'v1',
        'Service',
        { name: 'lb' },
        { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 31536 }] },
      ),
      { spec: { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 31536 }] } },
    ],
  ])('change %s as they did there', async (groupResource, from, to) => {
    const { value = null } = { value: null, ...parseYaml('m', yaml) };
    const rules = isResourceModifiers(value) ? value.resourceModifierRules : undefined;
    const { object, issues } = await modified(rules ?? [], from, groupResource);
    expect(issues).toEqual([]);
    expect(object).toMatchObject(to);
    expect(object['spec']).toEqual(to['spec']);
  });
});

describe('the rules', () => {
  const conditions = { groupResource: 'deployments.apps' };

  it('see what the rules before them made, and hold conditions against what was there before any', async () => {
    const { object } = await modified([
      { conditions, ...toOne },
      {
        conditions: { ...conditions, matches: [{ path: '/spec/replicas', value: '3' }] },
        patches: [{ operation: 'copy', from: '/spec/replicas', path: '/spec/seen' }],
      },
      {
        conditions: { ...conditions, matches: [{ path: '/spec/replicas', value: '1' }] },
        mergePatches: [{ patchData: 'spec: {never: true}' }],
      },
    ]);
    expect(object['spec']).toEqual({ replicas: 1, image: 'old', seen: 1 });
  });

  it('merge, and merge strategically', async () => {
    const { object, issues } = await modified([
      {
        conditions,
        mergePatches: [
          { patchData: 'spec:\n  image: null\n' },
          { patchData: '{"spec":{"a":[1]}}' },
        ],
      },
      {
        conditions,
        strategicPatches: [
          { patchData: '{"metadata":{"finalizers":["x"]},"spec":{"paused":true}}' },
        ],
      },
    ]);
    expect(issues).toEqual([]);
    expect(object).toMatchObject({
      metadata: { finalizers: ['x'] },
      spec: { replicas: 3, a: [1], paused: true },
    });
    expect(object).not.toHaveProperty('spec.image');
  });

  it('leave the object as it is when a test of theirs fails', async () => {
    const { object, issues } = await modified([
      {
        conditions,
        patches: [
          ...(toOne.patches ?? []),
          { operation: 'test', path: '/spec/image', value: 'new' },
        ],
      },
    ]);
    expect(object).toMatchObject({ spec: { replicas: 3 } });
    expect(issues).toEqual([]);
  });

  it.each<[string, Partial<ResourceModifierRule>, string]>([
    [
      'a path that is missing',
      { patches: [{ operation: 'remove', path: '/spec/none' }] },
      'no member none',
    ],
    [
      'another kind',
      { mergePatches: [{ patchData: 'kind: Pod' }] },
      'changed kind from "Deployment" to "Pod"',
    ],
    [
      'no apiVersion',
      { patches: [{ operation: 'remove', path: '/apiVersion' }] },
      'changed apiVersion',
    ],
    ['no name', { mergePatches: [{ patchData: 'metadata: {name: null}' }] }, 'without a name'],
    [
      'an element without a key',
      { strategicPatches: [{ patchData: 'spec: {template: {spec: {volumes: [{}]}}}' }] },
      '',
    ],
  ])(
    'that lead to %s are errors, without which the object is restored',
    async (_what, rule, message) => {
      const template = { spec: { volumes: [{ name: 'v' }] } };
      const { object, issues } = await modified(
        [
          { conditions, ...rule },
          { conditions, ...toOne },
        ],
        { ...deployment, spec: { replicas: 3, template } },
      );
      expect(object).toMatchObject({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        spec: { replicas: 1, template },
      });
      expect(issues).toEqual([
        expect.stringContaining(
          'error ModifierFailed resourceModifierRules[0] could not be applied',
        ),
      ]);
      expect(issues[0]).toContain(message);
    },
  );

  it('cannot merge custom resources strategically', async () => {
    const widget = {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'w', namespace: 'shop' },
    };
    const rule = {
      conditions: { groupResource: 'widgets.example.com' },
      strategicPatches: [{ patchData: 'spec: {}' }],
    };
    const { issues } = await modified([rule], widget, 'widgets.example.com');
    expect(issues).toEqual([expect.stringContaining('a custom resource')]);
  });

  it('may change the name, but not the namespace', async () => {
    const { object } = await modified([
      {
        conditions,
        mergePatches: [{ patchData: 'metadata: {name: other, namespace: elsewhere}' }],
      },
    ]);
    expect(object).toMatchObject({ metadata: { name: 'other', namespace: 'copy' } });
  });
});
