import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { booleanAt, stringAt } from '../../../model/object-path.ts';
import { parseQuantity } from '../../../model/quantity.ts';
import type { ControllerClient } from './controller-client.ts';
import { isBoundTo, SnapshotTable } from './snapshot-objects.ts';
import { requestOf, VolumeTable } from './volume-objects.ts';

const volumeModeAnnotation = 'snapshot.storage.kubernetes.io/allow-volume-mode-change';

/** What a new volume is filled from; `failure` says why it cannot be made (yet). */
export type VolumeSource =
  | { readonly fromSnapshotHandle?: string; readonly fromVolumeHandle?: string }
  | { readonly failure: string };

/** Finds what the data source of a claim stands for. */
export function volumeSourceOf(claim: KubernetesObject, client: ControllerClient): VolumeSource {
  const kind = stringAt(claim, ['spec', 'dataSource', 'kind']);
  const name = stringAt(claim, ['spec', 'dataSource', 'name']) ?? '';
  const key = `${claim.metadata.namespace ?? ''}/${name}`;
  switch (kind) {
    case undefined:
      return {};
    case 'VolumeSnapshot':
      return fromSnapshot(claim, key, name, client);
    case 'PersistentVolumeClaim': {
      const source = client.get(VolumeTable.claims, key);
      const volume = client.get(
        VolumeTable.volumes,
        (source && stringAt(source, ['spec', 'volumeName'])) ?? '',
      );
      const fromVolumeHandle = volume && stringAt(volume, ['spec', 'csi', 'volumeHandle']);
      return fromVolumeHandle === undefined
        ? failed(`error getting PVC ${name} (namespace ${key.slice(0, -name.length - 1)})`)
        : { fromVolumeHandle };
    }
    default:
      return failed(`unsupported DataSource type ${kind}`);
  }
}

function fromSnapshot(
  claim: KubernetesObject,
  key: string,
  name: string,
  client: ControllerClient,
): VolumeSource {
  const refused = (why: string): VolumeSource =>
    failed(`error getting handle for DataSource Type VolumeSnapshot by Name ${name}: ${why}`);
  const snapshot = client.get(SnapshotTable.snapshots, key);
  if (snapshot === undefined) {
    return refused(
      `error getting snapshot ${name} from api server: volumesnapshots.snapshot.storage.k8s.io "${name}" not found`,
    );
  }
  const contentName = stringAt(snapshot, ['status', 'boundVolumeSnapshotContentName']) ?? '';
  const content = client.get(SnapshotTable.contents, contentName);
  if (content === undefined || !isBoundTo(content, snapshot)) {
    return refused(`snapshot ${name} not bound`);
  }
  if (booleanAt(snapshot, ['status', 'readyToUse']) !== true) {
    return refused(`snapshot ${name} is not Ready`);
  }
  const mode = stringAt(content, ['spec', 'sourceVolumeMode']);
  const isModeFree =
    stringAt(content, ['metadata', 'annotations', volumeModeAnnotation]) === 'true';
  if (mode !== undefined && mode !== stringAt(claim, ['spec', 'volumeMode']) && !isModeFree) {
    return failed(
      `requested volume ${claim.metadata.name} modifies the mode of the source volume but does not have permission to do so; the content needs the annotation ${volumeModeAnnotation}`,
    );
  }
  const wanted = parseQuantity(requestOf(claim)) ?? 0n;
  const needed = parseQuantity(stringAt(snapshot, ['status', 'restoreSize']) ?? '0') ?? 0n;
  if (wanted < needed) {
    return failed(
      `requested volume size ${wanted} is less than the size ${needed} for the source snapshot ${name}`,
    );
  }
  const fromSnapshotHandle = stringAt(content, ['status', 'snapshotHandle']);
  return fromSnapshotHandle === undefined
    ? refused(`snapshot ${name} has no handle`)
    : { fromSnapshotHandle };
}

function failed(why: string): VolumeSource {
  return { failure: why };
}
