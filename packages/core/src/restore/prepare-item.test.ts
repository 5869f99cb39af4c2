import { expect, it, onTestFinished } from 'vitest';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { Restore } from '../model/restore.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { type PreparationStep, type PreparedItem, prepareItem } from './prepare-item.ts';

const restore: Restore = {
  apiVersion: 'velero.io/v1',
  kind: 'Restore',
  metadata: { name: 'again' },
  spec: { backupName: 'shop' },
  status: { phase: 'InProgress' },
};
const itemFromBackup: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', namespace: 'shop', uid: '1' },
  data: { a: 'b' },
};

function prepare(steps: readonly PreparationStep[], keepsChanges = true): Promise<PreparedItem> {
  const cluster = new FakeCluster();
  onTestFinished(() => cluster.close());
  return prepareItem(steps, {
    groupResource: 'configmaps',
    target: { groupResource: 'configmaps', namespace: 'copy', name: 'x' },
    itemFromBackup,
    restore,
    backup: {
      apiVersion: 'velero.io/v1',
      kind: 'Backup',
      metadata: { name: 'shop' },
      spec: {},
      status: { version: 1, formatVersion: '1.1.0', phase: 'Completed' },
    },
    cluster,
    signal: new AbortController().signal,
    keepsChanges,
  });
}

const rename: PreparationStep = {
  name: 'rename',
  run: async (item) => ({ item: { ...item, metadata: { ...item.metadata, name: 'y' } } }),
};
const copy: PreparationStep = { name: 'copy', run: async (item) => ({ item: { ...item } }) };

it('resets metadata, runs the steps in order, and puts the object into its target namespace with its labels', async () => {
  const seen: unknown[] = [];
  const look: PreparationStep = {
    name: 'look',
    run: async ({ metadata }) => {
      seen.push(metadata);
      return {};
    },
  };
  const prepared = await prepare([rename, look]);
  expect(seen).toEqual([{ name: 'y', namespace: 'shop' }]);
  expect(prepared).toMatchObject({
    kind: 'manifest',
    target: { groupResource: 'configmaps', namespace: 'copy', name: 'y' },
    manifest: {
      metadata: {
        name: 'y',
        namespace: 'copy',
        labels: { 'velero.io/backup-name': 'shop', 'velero.io/restore-name': 'again' },
      },
    },
  });
});

it('keeps which step changed what, when that is wanted', async () => {
  const prepared = await prepare([copy, rename]);
  expect(prepared).toMatchObject({
    changes: [{ step: 'rename', after: { metadata: { name: 'y' } } }],
  });
  expect(await prepare([copy, rename], false)).toMatchObject({ changes: [] });
});

it('passes over steps of other resources, and stops at one that does not want the object or blocks it', async () => {
  const issue = { severity: 'warning', reason: 'X', message: 'x' } as const;
  const skip: PreparationStep = {
    name: 'skip',
    run: async () => ({ skip: 'unwanted', issues: [issue] }),
  };
  const blocked = { reason: 'Y', message: 'y' };
  const block: PreparationStep = { name: 'block', run: async () => ({ blocked }) };
  const other: PreparationStep = { ...block, resources: ['pods'] };
  expect(await prepare([other, skip, block])).toEqual({
    kind: 'skip',
    reason: 'unwanted',
    issues: [issue],
  });
  expect(await prepare([block, skip])).toEqual({ kind: 'blocked', blocked, issues: [] });
});
