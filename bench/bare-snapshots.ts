import { type Cluster, type KubernetesObject, Resources, type WatchEvent } from '@lifeboat/core';
import { objectAt, stringAt } from '../packages/core/src/model/object-path.ts';

/**
 * Snapshots claims by the bare requests that it cannot be done without, all at once: create, give the content policy Retain
 * when it is ready, delete content and VolumeSnapshot. Resolves with the handles when all objects are gone.
 */
export async function takeBareSnapshots(
  cluster: Cluster,
  namespace: string,
  claimNames: readonly string[],
  snapshotClassName: string,
): Promise<readonly string[]> {
  const stop = new AbortController();
  const { signal } = stop;
  const handles: string[] = [];
  const pending = new Set(claimNames.map((name) => `bare-${name}`));
  const detaching: Promise<void>[] = [];
  const ready = new Set<string>();

  const detach = async (snapshot: KubernetesObject): Promise<void> => {
    const name = stringAt(snapshot, ['status', 'boundVolumeSnapshotContentName']) ?? '';
    const content = { ...Resources.volumeSnapshotContents, name };
    const patch = { spec: { deletionPolicy: 'Retain' } };
    const retained = await cluster.patch(content, { type: 'merge', patch });
    handles.push(stringAt(retained, ['status', 'snapshotHandle']) ?? '');
    await cluster.delete(content);
    await cluster.delete({ ...Resources.volumeSnapshots, namespace, name: snapshot.metadata.name });
  };
  const gone = (object: KubernetesObject): void => {
    pending.delete(object.metadata.name);
    if (pending.size === 0) {
      stop.abort();
    }
  };
  const onEvent = (event: WatchEvent): void => {
    if (event.type === 'deleted') {
      gone(event.object);
    } else if (event.type === 'added' || event.type === 'modified') {
      const { object } = event;
      const isReady = objectAt(object, ['status'])?.['readyToUse'] === true;
      if (isReady && pending.has(object.metadata.name) && !ready.has(object.metadata.name)) {
        ready.add(object.metadata.name);
        detaching.push(detach(object));
      }
    }
  };
  const watching = (async (): Promise<void> => {
    try {
      for await (const event of cluster.watch(Resources.volumeSnapshots, { namespace, signal })) {
        onEvent(event);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  })();
  await Promise.all(
    claimNames.map((name) =>
      cluster.create(Resources.volumeSnapshots, {
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshot',
        metadata: { name: `bare-${name}`, namespace },
        spec: {
          source: { persistentVolumeClaimName: name },
          volumeSnapshotClassName: snapshotClassName,
        },
      }),
    ),
  );
  await watching;
  await Promise.all(detaching);
  return handles;
}
