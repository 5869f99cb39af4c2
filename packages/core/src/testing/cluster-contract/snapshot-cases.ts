import assert from 'node:assert/strict';
import { isRawNumber } from '../../model/json.ts';
import { objectAt, stringAt, valueAt } from '../../model/object-path.ts';
import { Resources } from '../../model/resources.ts';
import type { ClusterContractCase, ClusterContractContext } from './cluster-contract-context.ts';
import { assertJsonEqual, provided, rejectsWith } from './expectations.ts';
import {
  claimManifest,
  contentReference,
  eventuallyGone,
  eventuallyIs,
  isReadyToUse,
  removeAbandoned,
  snapshotManifest,
  snapshotReference,
  staticPair,
  takeSnapshot,
} from './snapshot-objects.ts';

/** What a cluster with a CSI driver and the snapshot controller does. */
export const snapshotCases: readonly ClusterContractCase[] = [
  {
    name: 'a claim is bound to a new volume of the CSI driver',
    needs: 'csi',
    async run(context) {
      const { cluster, namespace, signal } = context;
      const csi = provided(context.csi, 'csi');
      await cluster.create(Resources.persistentVolumeClaims, claimManifest(context, csi, 'data'), {
        signal,
      });
      const claim = await eventuallyIs(
        context,
        'binding of the claim',
        claimReference(namespace, 'data'),
        isBound,
      );
      const volumeName = stringAt(claim, ['spec', 'volumeName']) ?? '';
      const volume = await cluster.get(
        { ...Resources.persistentVolumes, name: volumeName },
        { signal },
      );
      assert.ok(volume);
      assert.equal(stringAt(volume, ['spec', 'csi', 'driver']), csi.driver);
      assert.ok(stringAt(volume, ['spec', 'csi', 'volumeHandle']));
      assert.equal(stringAt(volume, ['spec', 'claimRef', 'uid']), claim.metadata.uid);
      assert.equal(
        stringAt(claim, ['metadata', 'annotations', 'pv.kubernetes.io/bind-completed']),
        'yes',
      );
    },
  },
  {
    name: 'a VolumeSnapshot gets a content with a handle, and both become ready',
    needs: 'csi',
    async run(context) {
      const csi = provided(context.csi, 'csi');
      const { snapshot, content } = await takeSnapshot(context, csi, csi.deletingSnapshotClassName);
      assert.equal(content.metadata.name, `snapcontent-${snapshot.metadata.uid ?? ''}`);
      assert.equal(stringAt(content, ['spec', 'deletionPolicy']), 'Delete');
      assert.equal(stringAt(content, ['spec', 'driver']), csi.driver);
      assert.equal(
        stringAt(content, ['spec', 'volumeSnapshotClassName']),
        csi.deletingSnapshotClassName,
      );
      assert.ok(stringAt(content, ['spec', 'source', 'volumeHandle']));
      assert.equal(stringAt(content, ['spec', 'volumeSnapshotRef', 'uid']), snapshot.metadata.uid);
      assert.ok(stringAt(content, ['status', 'snapshotHandle']));
      assert.ok(stringAt(snapshot, ['status', 'restoreSize']));
      assert.match(stringAt(snapshot, ['status', 'creationTime']) ?? '', /^\d{4}-\d\d-\d\dT/);
      const creationTime = valueAt(content, ['status', 'creationTime']);
      assert.ok(
        typeof creationTime === 'number' || isRawNumber(creationTime),
        'creationTime is nanoseconds',
      );
      assert.ok(
        snapshot.metadata.finalizers?.includes(
          'snapshot.storage.kubernetes.io/volumesnapshot-bound-protection',
        ),
      );
      assert.ok(
        content.metadata.finalizers?.includes(
          'snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection',
        ),
      );
    },
  },
  {
    name: 'with policy Delete a deleted VolumeSnapshot takes its content and the storage snapshot along',
    needs: 'csi',
    async run(context) {
      const { cluster, signal } = context;
      const csi = provided(context.csi, 'csi');
      const { content } = await takeSnapshot(context, csi, csi.deletingSnapshotClassName);
      await cluster.delete(snapshotReference(context, 'snapshot'), { signal });
      await eventuallyGone(context, snapshotReference(context, 'snapshot'));
      await eventuallyGone(context, contentReference(content.metadata.name));
      await expectUnusable(context, stringAt(content, ['status', 'snapshotHandle']) ?? '');
    },
  },
  {
    name: 'a content changed to Retain outlives its VolumeSnapshot, and its storage snapshot outlives it',
    needs: 'csi',
    async run(context) {
      const { cluster, signal } = context;
      const csi = provided(context.csi, 'csi');
      const { content } = await takeSnapshot(context, csi, csi.deletingSnapshotClassName);
      const reference = contentReference(content.metadata.name);
      await setPolicy(context, content.metadata.name, 'Retain');
      await cluster.delete(snapshotReference(context, 'snapshot'), { signal });
      await eventuallyGone(context, snapshotReference(context, 'snapshot'));
      assert.ok(await cluster.get(reference, { signal }));
      await cluster.delete(reference, { signal });
      await eventuallyGone(context, reference);
      await importAndFree(context, stringAt(content, ['status', 'snapshotHandle']) ?? '');
    },
  },
  {
    name: 'a class with policy Retain makes contents with policy Retain',
    needs: 'csi',
    async run(context) {
      const { cluster, signal } = context;
      const csi = provided(context.csi, 'csi');
      const { content } = await takeSnapshot(context, csi, csi.retainingSnapshotClassName);
      assert.equal(stringAt(content, ['spec', 'deletionPolicy']), 'Retain');
      await setPolicy(context, content.metadata.name, 'Delete');
      await cluster.delete(snapshotReference(context, 'snapshot'), { signal });
      await eventuallyGone(context, contentReference(content.metadata.name));
    },
  },
  {
    name: 'a deleted content stays until its VolumeSnapshot is deleted too',
    needs: 'csi',
    async run(context) {
      const { cluster, signal } = context;
      const csi = provided(context.csi, 'csi');
      const { content } = await takeSnapshot(context, csi, csi.deletingSnapshotClassName);
      const reference = contentReference(content.metadata.name);
      await cluster.delete(reference, { signal });
      const marked = await cluster.get(reference, { signal });
      assert.ok(marked?.metadata.deletionTimestamp);
      await cluster.delete(snapshotReference(context, 'snapshot'), { signal });
      await eventuallyGone(context, snapshotReference(context, 'snapshot'));
      await eventuallyGone(context, reference);
    },
  },
  {
    name: 'a claim with a VolumeSnapshot as data source is bound',
    needs: 'csi',
    async run(context) {
      const { cluster, namespace, signal } = context;
      const csi = provided(context.csi, 'csi');
      await takeSnapshot(context, csi, csi.deletingSnapshotClassName);
      await cluster.create(
        Resources.persistentVolumeClaims,
        claimManifest(context, csi, 'copy', 'snapshot'),
        { signal },
      );
      const copy = await eventuallyIs(
        context,
        'binding of the copy',
        claimReference(namespace, 'copy'),
        isBound,
      );
      assertJsonEqual(objectAt(copy, ['spec', 'dataSourceRef']), {
        apiGroup: 'snapshot.storage.k8s.io',
        kind: 'VolumeSnapshot',
        name: 'snapshot',
      });
      await cluster.delete(snapshotReference(context, 'snapshot'), { signal });
    },
  },
  {
    name: 'a VolumeSnapshot whose class is missing reports an error and is not ready',
    needs: 'csi',
    async run(context) {
      const { cluster, signal } = context;
      const csi = provided(context.csi, 'csi');
      await cluster.create(Resources.persistentVolumeClaims, claimManifest(context, csi, 'data'), {
        signal,
      });
      const manifest = snapshotManifest(context, 'no-such-class', 'snapshot', 'data');
      await cluster.create(Resources.volumeSnapshots, manifest, { signal });
      const reference = snapshotReference(context, 'snapshot');
      const failed = await eventuallyIs(
        context,
        'an error of the VolumeSnapshot',
        reference,
        hasError,
      );
      assert.ok(!isReadyToUse(failed));
      await cluster.delete(reference, { signal });
      await eventuallyGone(context, reference);
    },
  },
  {
    name: 'the source of a VolumeSnapshotContent cannot be changed',
    needs: 'csi',
    async run(context) {
      const { cluster, signal } = context;
      const csi = provided(context.csi, 'csi');
      const { content } = await takeSnapshot(context, csi, csi.deletingSnapshotClassName);
      const patch = {
        type: 'merge',
        patch: { spec: { source: { volumeHandle: 'another' } } },
      } as const;
      await rejectsWith(
        'Invalid',
        cluster.patch(contentReference(content.metadata.name), patch, { signal }),
      );
      await cluster.delete(snapshotReference(context, 'snapshot'), { signal });
    },
  },
];

function claimReference(namespace: string, name: string) {
  return { ...Resources.persistentVolumeClaims, namespace, name };
}

function isBound(object: Parameters<typeof isReadyToUse>[0]): boolean {
  return stringAt(object, ['status', 'phase']) === 'Bound';
}

function hasError(object: Parameters<typeof isReadyToUse>[0]): boolean {
  return stringAt(object, ['status', 'error', 'message']) !== undefined;
}

async function setPolicy(
  { cluster, signal }: ClusterContractContext,
  contentName: string,
  deletionPolicy: string,
): Promise<void> {
  const patch = { type: 'merge', patch: { spec: { deletionPolicy } } } as const;
  await cluster.patch(contentReference(contentName), patch, { signal });
}

/** Shows that a storage snapshot exists by importing it as a pair, then frees it. */
async function importAndFree(
  context: ClusterContractContext,
  snapshotHandle: string,
): Promise<void> {
  const { cluster, signal } = context;
  const { content, snapshot } = staticPair(
    context,
    provided(context.csi, 'csi'),
    'imported',
    snapshotHandle,
  );
  await cluster.create(Resources.volumeSnapshotContents, content, { signal });
  await cluster.create(Resources.volumeSnapshots, snapshot, { signal });
  const reference = snapshotReference(context, 'imported');
  const imported = await eventuallyIs(
    context,
    'readiness of the imported VolumeSnapshot',
    reference,
    isReadyToUse,
  );
  const contentName = content.metadata.name ?? '';
  assert.equal(stringAt(imported, ['status', 'boundVolumeSnapshotContentName']), contentName);
  const bound = await cluster.get(contentReference(contentName), { signal });
  assert.ok(bound);
  assert.equal(stringAt(bound, ['spec', 'volumeSnapshotRef', 'uid']), imported.metadata.uid);
  assert.equal(stringAt(bound, ['status', 'snapshotHandle']), snapshotHandle);
  await setPolicy(context, contentName, 'Delete');
  await cluster.delete(reference, { signal });
  await eventuallyGone(context, contentReference(contentName));
}

/** Shows that a storage snapshot is gone: a pair that names it reports an error and does not become ready. */
async function expectUnusable(
  context: ClusterContractContext,
  snapshotHandle: string,
): Promise<void> {
  const { cluster, signal } = context;
  const { content, snapshot } = staticPair(
    context,
    provided(context.csi, 'csi'),
    'dangling',
    snapshotHandle,
  );
  const contentName = content.metadata.name ?? '';
  await cluster.create(Resources.volumeSnapshotContents, content, { signal });
  await cluster.create(Resources.volumeSnapshots, snapshot, { signal });
  const failed = await eventuallyIs(
    context,
    'an error of the dangling content',
    contentReference(contentName),
    hasError,
  );
  assert.ok(!isReadyToUse(failed));
  await cluster.delete(snapshotReference(context, 'dangling'), { signal });
  await removeAbandoned(context, contentName);
}
