import { createHash } from 'node:crypto';
import type { JsonObject } from '../../../model/json.ts';
import type { KubernetesManifest, KubernetesObject } from '../../../model/kubernetes.ts';
import { booleanAt, objectAt, objectsAt, stringAt } from '../../../model/object-path.ts';
import { withFinalizer, withoutFinalizer } from '../admission/set-missing.ts';
import { type Controller, ownKeys, type Requeue } from './controller.ts';
import type { ControllerClient } from './controller-client.ts';
import {
  GroupContentAnnotation,
  GroupSnapshotFinalizer,
  GroupSnapshotTable,
  groupContentNameOf,
  groupKeyOf,
  groupUidOf,
} from './group-snapshot-objects.ts';
import { deletionSecret } from './snapshot-content-manifest.ts';
import {
  SnapshotFinalizer,
  SnapshotTable,
  snapshotStatusFrom,
  withAnnotation,
  withStatus,
  withStatusError,
} from './snapshot-objects.ts';

const groupSecretParameter = 'csi.storage.k8s.io/group-snapshotter-';

/** Makes contents for VolumeGroupSnapshots, a VolumeSnapshot for each member once a group is cut, and takes all along again. */
export const groupSnapshotController: Controller = {
  name: 'snapshot-controller-groups',
  triggers: [
    ownKeys(GroupSnapshotTable.groups),
    { table: GroupSnapshotTable.contents, keys: ({ object }) => [groupKeyOf(object)] },
    {
      table: 'persistentvolumeclaims',
      keys: ({ object }, client) => waitingGroups(object, client),
    },
  ],
  async reconcile(key: string, client: ControllerClient): Promise<Requeue | undefined> {
    const group = client.get(GroupSnapshotTable.groups, key);
    if (group === undefined) {
      return undefined;
    }
    const content = boundContent(group, client);
    if (group.metadata.deletionTimestamp !== undefined) {
      finishDeletion(group, content, client);
      return undefined;
    }
    const guarded = withFinalizer(group, GroupSnapshotFinalizer.boundGroup);
    const current = client.write(GroupSnapshotTable.groups, group, guarded);
    if (stringAt(current, ['spec', 'source', 'volumeGroupSnapshotContentName']) === undefined) {
      sync(current, content, client);
    }
    return undefined;
  },
};

function sync(
  group: KubernetesObject,
  content: KubernetesObject | undefined,
  client: ControllerClient,
): void {
  if (content === undefined) {
    const made = newContent(group, client);
    if (typeof made === 'string') {
      const message = `failed to create group snapshot content with error ${made}`;
      const reported = withStatusError(group, message, client.now());
      client.write(GroupSnapshotTable.groups, group, reported);
    } else {
      copyStatus(group, client.create(GroupSnapshotTable.contents, made), client);
    }
    return;
  }
  const groupHandle = stringAt(content, ['status', 'volumeGroupSnapshotHandle']);
  if (groupHandle !== undefined) {
    for (const info of objectsAt(content, ['status', 'volumeSnapshotInfoList'])) {
      makeMember(group, content, info, groupHandle, client);
    }
  }
  copyStatus(group, content, client);
}

function copyStatus(
  group: KubernetesObject,
  content: KubernetesObject,
  client: ControllerClient,
): void {
  const error = objectAt(content, ['status', 'error']);
  const status: JsonObject = {
    boundVolumeGroupSnapshotContentName: content.metadata.name,
    readyToUse: booleanAt(content, ['status', 'readyToUse']) === true,
    ...(error !== undefined && { error }),
  };
  client.write(GroupSnapshotTable.groups, group, withStatus(group, status));
}

function newContent(
  group: KubernetesObject,
  client: ControllerClient,
): KubernetesManifest | string {
  const { namespace = '', name, uid = '' } = group.metadata;
  const className = stringAt(group, ['spec', 'volumeGroupSnapshotClassName']) ?? '';
  const groupClass = client.get(GroupSnapshotTable.classes, className);
  if (groupClass === undefined) {
    return `volumegroupsnapshotclass "${className}" not found`;
  }
  const claims = claimsOf(group, client);
  const volumeHandles: string[] = [];
  for (const claim of claims) {
    const volume = client.get('persistentvolumes', stringAt(claim, ['spec', 'volumeName']) ?? '');
    const handle = volume && stringAt(volume, ['spec', 'csi', 'volumeHandle']);
    if (handle === undefined) {
      return `the PVC ${claim.metadata.name} is not yet bound to a PV, will not attempt to take a group snapshot`;
    }
    volumeHandles.push(handle);
  }
  const annotations = deletionSecret(groupClass, {
    parameter: groupSecretParameter,
    annotation: 'groupsnapshot.storage.kubernetes.io/deletion-',
  });
  return volumeHandles.length === 0
    ? 'label selector for group snapshot not applied to any PVC'
    : {
        apiVersion: group.apiVersion,
        kind: 'VolumeGroupSnapshotContent',
        metadata: { name: groupContentNameOf(group), ...(annotations && { annotations }) },
        spec: {
          deletionPolicy: stringAt(groupClass, ['deletionPolicy']) ?? 'Delete',
          driver: stringAt(groupClass, ['driver']) ?? '',
          source: { volumeHandles },
          volumeGroupSnapshotClassName: className,
          volumeGroupSnapshotRef: {
            apiVersion: group.apiVersion,
            kind: 'VolumeGroupSnapshot',
            namespace,
            name,
            uid,
          },
        },
      };
}

// All four writes happen before any other controller looks, so that none of them takes a half-made member for a snapshot to take.
function makeMember(
  group: KubernetesObject,
  groupContent: KubernetesObject,
  info: JsonObject,
  groupHandle: string,
  client: ControllerClient,
): void {
  const { namespace = '', uid = '' } = group.metadata;
  const volumeHandle = stringAt(info, ['volumeHandle']) ?? '';
  const digest = createHash('sha256').update(`${uid}${volumeHandle}`).digest('hex');
  const name = `snapshot-${digest}`;
  const claimName = claimNameOfVolume(volumeHandle, client);
  if (client.get(SnapshotTable.snapshots, `${namespace}/${name}`) !== undefined || !claimName) {
    return;
  }
  const snapshot = client.create(SnapshotTable.snapshots, {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      name,
      namespace,
      ownerReferences: [
        { apiVersion: group.apiVersion, kind: group.kind, name: group.metadata.name, uid },
      ],
      finalizers: [SnapshotFinalizer.inGroup],
    },
    spec: { source: { persistentVolumeClaimName: claimName } },
  });
  const content = client.create(SnapshotTable.contents, {
    apiVersion: snapshot.apiVersion,
    kind: 'VolumeSnapshotContent',
    metadata: {
      name: `snapcontent-${digest}`,
      annotations: {
        [GroupContentAnnotation.groupHandle]: groupHandle,
        ...memberSecret(groupContent, client),
      },
    },
    spec: {
      deletionPolicy: stringAt(groupContent, ['spec', 'deletionPolicy']) ?? 'Delete',
      driver: stringAt(groupContent, ['spec', 'driver']) ?? '',
      source: { volumeHandle },
      sourceVolumeMode: 'Filesystem',
      volumeSnapshotRef: {
        kind: 'VolumeSnapshot',
        namespace,
        name,
        uid: snapshot.metadata.uid ?? '',
      },
    },
  });
  const { volumeHandle: _volume, ...known } = info;
  const status = { ...known, volumeGroupSnapshotHandle: groupHandle };
  const cut = client.write(SnapshotTable.contents, content, withStatus(content, status));
  const bound = withStatus(snapshot, {
    ...snapshotStatusFrom(cut),
    volumeGroupSnapshotName: group.metadata.name,
  });
  client.write(SnapshotTable.snapshots, snapshot, bound);
}

// A member's content names the Secret of the group's class, under the keys of a single snapshot.
function memberSecret(
  groupContent: KubernetesObject,
  client: ControllerClient,
): Readonly<Record<string, string>> | undefined {
  const className = stringAt(groupContent, ['spec', 'volumeGroupSnapshotClassName']) ?? '';
  const groupClass = client.get(GroupSnapshotTable.classes, className);
  return (
    groupClass &&
    deletionSecret(groupClass, {
      parameter: groupSecretParameter,
      annotation: 'snapshot.storage.kubernetes.io/deletion-',
    })
  );
}

function finishDeletion(
  group: KubernetesObject,
  content: KubernetesObject | undefined,
  client: ControllerClient,
): void {
  const isDeleting = content && stringAt(content, ['spec', 'deletionPolicy']) === 'Delete';
  if (content !== undefined) {
    const marked = client.write(
      GroupSnapshotTable.contents,
      content,
      withAnnotation(content, GroupContentAnnotation.beingDeleted, 'yes'),
    );
    if (isDeleting && marked.metadata.deletionTimestamp === undefined) {
      client.delete(GroupSnapshotTable.contents, marked);
    }
  }
  for (const member of client.list(SnapshotTable.snapshots, group.metadata.namespace)) {
    if (
      groupUidOf(member) === group.metadata.uid &&
      member.metadata.deletionTimestamp === undefined
    ) {
      client.delete(SnapshotTable.snapshots, member);
    }
  }
  if (isDeleting !== true) {
    const latest = client.get(
      GroupSnapshotTable.groups,
      `${group.metadata.namespace ?? ''}/${group.metadata.name}`,
    );
    if (latest !== undefined) {
      const released = withoutFinalizer(latest, GroupSnapshotFinalizer.boundGroup);
      client.write(GroupSnapshotTable.groups, latest, released);
    }
  }
}

function boundContent(
  group: KubernetesObject,
  client: ControllerClient,
): KubernetesObject | undefined {
  const content = client.get(GroupSnapshotTable.contents, groupContentNameOf(group));
  const uid = content && stringAt(content, ['spec', 'volumeGroupSnapshotRef', 'uid']);
  return uid === group.metadata.uid ? content : undefined;
}

function claimsOf(group: KubernetesObject, client: ControllerClient): readonly KubernetesObject[] {
  const matchLabels = objectAt(group, ['spec', 'source', 'selector', 'matchLabels']) ?? {};
  const wanted = Object.entries(matchLabels);
  return client
    .list('persistentvolumeclaims', group.metadata.namespace)
    .filter(({ metadata }) => wanted.every(([key, value]) => metadata.labels?.[key] === value));
}

function claimNameOfVolume(volumeHandle: string, client: ControllerClient): string | undefined {
  const volume = client
    .list('persistentvolumes')
    .find((candidate) => stringAt(candidate, ['spec', 'csi', 'volumeHandle']) === volumeHandle);
  return volume && stringAt(volume, ['spec', 'claimRef', 'name']);
}

function waitingGroups(claim: KubernetesObject, client: ControllerClient): readonly string[] {
  return client
    .list(GroupSnapshotTable.groups, claim.metadata.namespace)
    .filter((group) => booleanAt(group, ['status', 'readyToUse']) !== true)
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
}
