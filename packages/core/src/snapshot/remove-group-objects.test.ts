import { expect, it } from 'vitest';
import type { KubernetesManifest } from '../model/kubernetes.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { LeapingClock } from '../testing/leaping-clock.ts';
import { groupSnapshotResources } from './group-resources.ts';
import { removeGroupObjects } from './remove-group-objects.ts';

const apiVersion = 'groupsnapshot.storage.k8s.io/v1';

/** What a snapshot-controller makes that has not heard yet that the group is gone. */
function contentOf(uid: string): KubernetesManifest {
  return {
    apiVersion,
    kind: 'VolumeGroupSnapshotContent',
    metadata: { name: `groupsnapcontent-${uid}` },
    spec: {
      deletionPolicy: 'Delete',
      driver: 'nobody.csi.example',
      source: { volumeHandles: ['volume-1'] },
      volumeGroupSnapshotRef: { namespace: 'default', name: 'db', uid },
    },
  };
}

it('removes the content that is made when its group is gone already', async () => {
  const clock = new LeapingClock((): number => cluster.requests.length);
  const cluster = new FakeCluster({ clock });
  await using _closed = cluster;
  const resources = groupSnapshotResources(await cluster.discover());
  if (resources === undefined) {
    throw new Error('the fake cluster serves no groups');
  }
  const { uid = '' } = await cluster
    .create(resources.groupSnapshots, {
      apiVersion,
      kind: 'VolumeGroupSnapshot',
      metadata: { namespace: 'default', name: 'db' },
      spec: { source: { selector: { matchLabels: { group: 'db' } } } },
    })
    .then(({ metadata }) => metadata);
  const identity = { resources, namespace: 'default', name: 'db', uid };
  const removal = removeGroupObjects({ cluster, clock, identity, deletionPolicy: 'Delete' }, {});
  await clock.sleep(1_000);
  await cluster.create(resources.contents, contentOf(uid));
  await removal;
  expect(await Array.fromAsync(cluster.list(resources.contents))).toEqual([]);
});
