import assert from 'node:assert/strict';
import type { KubernetesManifest, KubernetesObject } from '../../model/kubernetes.ts';
import { stringAt } from '../../model/object-path.ts';
import { Resources } from '../../model/resources.ts';
import type {
  ClusterContractCase,
  ClusterContractContext,
  GroupSnapshotContractContext,
} from './cluster-contract-context.ts';
import { collect, provided } from './expectations.ts';
import {
  claimManifest,
  contentReference,
  eventuallyGone,
  eventuallyIs,
  isReadyToUse,
  snapshotReference,
} from './snapshot-objects.ts';

const groupApi = { group: 'groupsnapshot.storage.k8s.io', version: 'v1' };
const groups = { ...groupApi, resource: 'volumegroupsnapshots' };
const groupContents = { ...groupApi, resource: 'volumegroupsnapshotcontents' };
const label = { 'contract.lifeboat.dev/group': 'db' };
const claimNames = ['data', 'wal'] as const;

/** What a cluster does whose CSI driver, sidecar and snapshot controller take group snapshots. */
export const groupSnapshotCases: readonly ClusterContractCase[] = [
  {
    name: 'a VolumeGroupSnapshot makes a ready VolumeSnapshot of each claim, owned by it, and takes all along when it goes',
    needs: 'groupSnapshots',
    async run(context) {
      const { cluster, namespace, signal } = context;
      const group = await takeGroup(context, provided(context.groupSnapshots, 'groupSnapshots'));
      const groupContentName =
        stringAt(group, ['status', 'boundVolumeGroupSnapshotContentName']) ?? '';
      const groupContent = { ...groupContents, name: groupContentName };
      const cut = await eventuallyIs(
        context,
        'readiness of the content',
        groupContent,
        isReadyToUse,
      );
      const handle = stringAt(cut, ['status', 'volumeGroupSnapshotHandle']);
      assert.ok(handle);

      const members = await collect(cluster.list(Resources.volumeSnapshots, { namespace, signal }));
      const sources = members.map((member) =>
        stringAt(member, ['spec', 'source', 'persistentVolumeClaimName']),
      );
      assert.deepEqual(sources.sort(), [...claimNames]);
      const contentNames: string[] = [];
      for (const member of members) {
        const owner = member.metadata.ownerReferences?.find(
          ({ kind }) => kind === 'VolumeGroupSnapshot',
        );
        assert.equal(owner?.uid, group.metadata.uid);
        const contentName = await contentNameOf(context, member);
        const content = await eventuallyIs(
          context,
          'readiness of the content of a member',
          contentReference(contentName),
          isReadyToUse,
        );
        assert.equal(stringAt(content, ['status', 'volumeGroupSnapshotHandle']), handle);
        assert.ok(stringAt(content, ['status', 'snapshotHandle']));
        contentNames.push(contentName);
      }

      await cluster.delete({ ...groups, namespace, name: 'group' }, { signal });
      await eventuallyGone(context, { ...groups, namespace, name: 'group' });
      await eventuallyGone(context, groupContent);
      for (const contentName of contentNames) {
        await eventuallyGone(context, contentReference(contentName));
      }
      for (const { metadata } of members) {
        await eventuallyGone(context, snapshotReference(context, metadata.name));
      }
    },
  },
];

async function contentNameOf(
  context: ClusterContractContext,
  { metadata }: KubernetesObject,
): Promise<string> {
  const ready = await eventuallyIs(
    context,
    'readiness of a member',
    snapshotReference(context, metadata.name),
    isReadyToUse,
  );
  return stringAt(ready, ['status', 'boundVolumeSnapshotContentName']) ?? '';
}

/** Two claims with the label of a group, bound, and a VolumeGroupSnapshot `group` of them that is ready. */
async function takeGroup(
  context: ClusterContractContext,
  csi: GroupSnapshotContractContext,
): Promise<KubernetesObject> {
  const { cluster, namespace, signal } = context;
  for (const name of claimNames) {
    const claim = claimManifest(context, csi, name);
    const metadata = { ...claim.metadata, labels: label };
    await cluster.create(Resources.persistentVolumeClaims, { ...claim, metadata }, { signal });
  }
  for (const name of claimNames) {
    const reference = { ...Resources.persistentVolumeClaims, namespace, name };
    await eventuallyIs(
      context,
      'binding of a claim',
      reference,
      (claim) => stringAt(claim, ['status', 'phase']) === 'Bound',
    );
  }
  const manifest: KubernetesManifest = {
    apiVersion: `${groupApi.group}/${groupApi.version}`,
    kind: 'VolumeGroupSnapshot',
    metadata: { name: 'group', namespace },
    spec: {
      volumeGroupSnapshotClassName: csi.groupSnapshotClassName,
      source: { selector: { matchLabels: label } },
    },
  };
  await cluster.create(groups, manifest, { signal });
  const reference = { ...groups, namespace, name: 'group' };
  return eventuallyIs(context, 'readiness of the VolumeGroupSnapshot', reference, isReadyToUse);
}
