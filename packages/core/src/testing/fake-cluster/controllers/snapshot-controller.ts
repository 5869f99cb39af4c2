import type { JsonObject } from '../../../model/json.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { objectAt, stringAt, withValueAt } from '../../../model/object-path.ts';
import { withFinalizer, withoutFinalizer } from '../admission/set-missing.ts';
import type { TableChange } from '../object-table.ts';
import { type Controller, ownKeys, type Requeue } from './controller.ts';
import type { ControllerClient } from './controller-client.ts';
import { GroupSnapshotTable, groupUidOf } from './group-snapshot-objects.ts';
import { newContent } from './snapshot-content-manifest.ts';
import {
  ContentAnnotation,
  contentNameOf,
  isBoundTo,
  SnapshotFinalizer,
  SnapshotTable,
  snapshotKeyOf,
  snapshotStatusFrom,
  withAnnotation,
  withStatus,
  withStatusError,
} from './snapshot-objects.ts';

/** Binds VolumeSnapshots to contents, keeps their status, and takes the contents along when they are deleted. */
export const snapshotController: Controller = {
  name: 'snapshot-controller',
  triggers: [
    ownKeys(SnapshotTable.snapshots),
    { table: SnapshotTable.contents, keys: ({ object }) => [snapshotKeyOf(object)] },
    { table: SnapshotTable.classes, keys: (_change, client) => waitingSnapshots(client) },
    { table: 'persistentvolumeclaims', keys: snapshotsOfClaim },
    { table: GroupSnapshotTable.groups, keys: membersOfGroup },
    { table: GroupSnapshotTable.contents, keys: (_change, client) => waitingSnapshots(client) },
  ],
  async reconcile(key: string, client: ControllerClient): Promise<Requeue | undefined> {
    const snapshot = client.get(SnapshotTable.snapshots, key);
    if (snapshot === undefined) {
      return undefined;
    }
    if (snapshot.metadata.deletionTimestamp !== undefined) {
      finishDeletion(snapshot, client);
      return undefined;
    }
    const guarded = withFinalizer(
      withFinalizer(snapshot, SnapshotFinalizer.asSource),
      SnapshotFinalizer.boundSnapshot,
    );
    const current = client.write(SnapshotTable.snapshots, snapshot, guarded);
    if (stringAt(current, ['spec', 'source', 'volumeSnapshotContentName']) === undefined) {
      syncDynamic(current, client);
    } else {
      syncStatic(current, client);
    }
    return undefined;
  },
};

function syncDynamic(snapshot: KubernetesObject, client: ControllerClient): void {
  const content = client.get(SnapshotTable.contents, contentNameOf(snapshot));
  if (content !== undefined) {
    copyStatus(snapshot, content, client);
    return;
  }
  if (stringAt(snapshot, ['status', 'boundVolumeSnapshotContentName']) !== undefined) {
    reportError(snapshot, 'VolumeSnapshotContent is missing', client);
    return;
  }
  const made = newContent(snapshot, client);
  if ('failure' in made) {
    client.note(snapshot, {
      type: 'Warning',
      reason: 'SnapshotContentCreationFailed',
      message: made.failure,
    });
    reportError(snapshot, made.failure, client);
    return;
  }
  const { claim, manifest, className } = made;
  client.write(
    'persistentvolumeclaims',
    claim,
    withFinalizer(claim, SnapshotFinalizer.claimAsSource),
  );
  const classified = withValueAt(snapshot, ['spec', 'volumeSnapshotClassName'], className);
  const current = client.write(SnapshotTable.snapshots, snapshot, classified);
  copyStatus(current, client.create(SnapshotTable.contents, manifest), client);
}

function syncStatic(snapshot: KubernetesObject, client: ControllerClient): void {
  const content = client.get(SnapshotTable.contents, contentNameOf(snapshot));
  const key = `${snapshot.metadata.namespace ?? ''}/${snapshot.metadata.name}`;
  if (content === undefined) {
    reportError(snapshot, 'VolumeSnapshotContent is missing', client);
    return;
  }
  const uid = stringAt(content, ['spec', 'volumeSnapshotRef', 'uid']) ?? '';
  if (snapshotKeyOf(content) !== key || (uid !== '' && uid !== snapshot.metadata.uid)) {
    const message = `VolumeSnapshotContent [${content.metadata.name}] is bound to a different snapshot`;
    reportError(snapshot, `Snapshot failed to bind VolumeSnapshotContent, ${message}`, client);
    return;
  }
  const reference: JsonObject = {
    ...objectAt(content, ['spec', 'volumeSnapshotRef']),
    uid: snapshot.metadata.uid ?? '',
  };
  const bound = withValueAt(content, ['spec', 'volumeSnapshotRef'], reference);
  copyStatus(snapshot, client.write(SnapshotTable.contents, content, bound), client);
}

function copyStatus(
  snapshot: KubernetesObject,
  content: KubernetesObject,
  client: ControllerClient,
): void {
  const groupHandle = stringAt(content, ['status', 'volumeGroupSnapshotHandle']);
  const groupContent = client
    .list(GroupSnapshotTable.contents)
    .find(
      (candidate) =>
        groupHandle !== undefined &&
        stringAt(candidate, ['status', 'volumeGroupSnapshotHandle']) === groupHandle,
    );
  if (groupHandle !== undefined && groupContent === undefined) {
    const { namespace = '', name } = snapshot.metadata;
    const message = `cannot find the group snapshot for VolumeSnapshot [${namespace}/${name}], will not update snapshot status`;
    reportError(
      snapshot,
      `Snapshot status update failed, updateSnapshotStatus: ${message}`,
      client,
    );
    return;
  }
  const groupName =
    groupContent && stringAt(groupContent, ['spec', 'volumeGroupSnapshotRef', 'name']);
  const status: JsonObject = {
    ...snapshotStatusFrom(content),
    ...(groupName !== undefined && { volumeGroupSnapshotName: groupName }),
  };
  client.write(SnapshotTable.snapshots, snapshot, withStatus(snapshot, status));
  if (status['readyToUse'] === true) {
    releaseClaim(snapshot, client);
  }
}

function finishDeletion(snapshot: KubernetesObject, client: ControllerClient): void {
  if (hasLivingGroup(snapshot, client)) {
    return;
  }
  if (isSourceOfPendingClaim(snapshot, client)) {
    client.note(snapshot, {
      type: 'Warning',
      reason: 'SnapshotDeletePending',
      message: 'Snapshot is being used to restore a PVC',
    });
    return;
  }
  const content = client.get(SnapshotTable.contents, contentNameOf(snapshot));
  if (content !== undefined && isBoundTo(content, snapshot)) {
    const marked = client.write(
      SnapshotTable.contents,
      content,
      withAnnotation(content, ContentAnnotation.beingDeleted, 'yes'),
    );
    if (stringAt(marked, ['spec', 'deletionPolicy']) === 'Delete') {
      if (marked.metadata.deletionTimestamp === undefined) {
        client.delete(SnapshotTable.contents, marked);
      }
      return;
    }
  }
  releaseClaim(snapshot, client);
  const released = [
    SnapshotFinalizer.asSource,
    SnapshotFinalizer.boundSnapshot,
    SnapshotFinalizer.inGroup,
  ].reduce<KubernetesObject>(withoutFinalizer, snapshot);
  client.write(SnapshotTable.snapshots, snapshot, released);
}

// A member goes after its group, not before.
function hasLivingGroup(snapshot: KubernetesObject, client: ControllerClient): boolean {
  const groupName = stringAt(snapshot, ['status', 'volumeGroupSnapshotName']);
  const key = `${snapshot.metadata.namespace ?? ''}/${groupName ?? ''}`;
  return groupName !== undefined && client.get(GroupSnapshotTable.groups, key) !== undefined;
}

/** The claim may go once no snapshot is being taken of it. */
function releaseClaim(snapshot: KubernetesObject, client: ControllerClient): void {
  const { namespace = '', uid } = snapshot.metadata;
  const claimName = claimNameOf(snapshot);
  const claim =
    claimName === undefined
      ? undefined
      : client.get('persistentvolumeclaims', `${namespace}/${claimName}`);
  const isStillSource = client
    .list(SnapshotTable.snapshots, namespace)
    .some(
      (other) =>
        claimNameOf(other) === claimName &&
        other.metadata.uid !== uid &&
        client.get(SnapshotTable.contents, contentNameOf(other)) !== undefined &&
        objectAt(other, ['status'])?.['readyToUse'] !== true,
    );
  if (claim !== undefined && !isStillSource) {
    const released = withoutFinalizer(claim, SnapshotFinalizer.claimAsSource);
    client.write('persistentvolumeclaims', claim, released);
  }
}

function reportError(snapshot: KubernetesObject, message: string, client: ControllerClient): void {
  const reported = withStatusError(snapshot, message, client.now());
  client.write(SnapshotTable.snapshots, snapshot, reported);
}

function isSourceOfPendingClaim(snapshot: KubernetesObject, client: ControllerClient): boolean {
  return client
    .list('persistentvolumeclaims', snapshot.metadata.namespace)
    .some(
      (claim) =>
        stringAt(claim, ['status', 'phase']) === 'Pending' &&
        stringAt(claim, ['spec', 'dataSource', 'kind']) === 'VolumeSnapshot' &&
        stringAt(claim, ['spec', 'dataSource', 'name']) === snapshot.metadata.name,
    );
}

/** The snapshots that are taken of a claim, and the one that it is filled from. */
function* snapshotsOfClaim(
  { object: claim }: TableChange,
  client: ControllerClient,
): Iterable<string> {
  const { namespace = '', name } = claim.metadata;
  for (const snapshot of client.list(SnapshotTable.snapshots, namespace)) {
    if (claimNameOf(snapshot) === name) {
      yield `${namespace}/${snapshot.metadata.name}`;
    }
  }
  if (stringAt(claim, ['spec', 'dataSource', 'kind']) === 'VolumeSnapshot') {
    yield `${namespace}/${stringAt(claim, ['spec', 'dataSource', 'name']) ?? ''}`;
  }
}

function membersOfGroup(
  { object: group }: TableChange,
  client: ControllerClient,
): readonly string[] {
  return client
    .list(SnapshotTable.snapshots, group.metadata.namespace)
    .filter((snapshot) => groupUidOf(snapshot) === group.metadata.uid)
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
}

function waitingSnapshots(client: ControllerClient): readonly string[] {
  return client
    .list(SnapshotTable.snapshots)
    .filter((snapshot) => objectAt(snapshot, ['status'])?.['readyToUse'] !== true)
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
}

function claimNameOf(snapshot: KubernetesObject): string | undefined {
  return stringAt(snapshot, ['spec', 'source', 'persistentVolumeClaimName']);
}
