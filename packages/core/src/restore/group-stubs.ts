import { createHash } from 'node:crypto';

import { isLifeboatError, messageOf } from '../errors.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import { isJsonArray, parseJson } from '../model/json.ts';
import type { KubernetesObject, ObjectReference } from '../model/kubernetes.ts';
import { labelValueOf, VeleroAnnotation, VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Restore } from '../model/restore.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import { groupContentManifest } from '../snapshot/group-content-manifest.ts';
import { groupMembersAnnotation } from '../snapshot/group-manifests.ts';
import {
  type GroupSnapshotResources,
  groupSnapshotResources,
} from '../snapshot/group-resources.ts';
import type { ImportedSnapshot } from '../snapshot/imported-snapshot.ts';
import type { ArchivedSnapshot } from './claim-source.ts';
import type { RestoreRecord } from './restore-record.ts';

/** What {@link GroupStubs} works with. */
export interface GroupStubsOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly restore: Restore;
  readonly record: RestoreRecord;
}

/** What a cluster offers to stand in for groups with. */
interface StubTarget {
  readonly resources: GroupSnapshotResources;
  readonly classes: readonly KubernetesObject[];
}

interface GroupStub {
  readonly reference: ObjectReference;
  readonly imported: ImportedSnapshot[];
}

const cleanUpTimeoutMs = 30_000;

/**
 * Stands in for the volume groups of a backup while their snapshots are imported. The snapshot-controller lets no VolumeSnapshot
 * become ready whose storage snapshot is of a group, unless it finds a VolumeGroupSnapshotContent with the group's handle. What
 * cannot be done is a warning: the import that needs it then tells what is missing.
 */
export class GroupStubs {
  readonly #options: GroupStubsOptions;
  readonly #stubs = new Map<string, Promise<GroupStub | undefined>>();
  #target: Promise<StubTarget> | undefined;

  constructor(options: GroupStubsOptions) {
    this.#options = options;
  }

  /** Imports a snapshot; one of a group only once there is a stub for the group. */
  async during(
    snapshot: ArchivedSnapshot,
    namespace: string,
    signal: AbortSignal,
    work: () => Promise<ImportedSnapshot>,
  ): Promise<ImportedSnapshot> {
    const handle = groupHandleOf(snapshot);
    if (handle === undefined) {
      return work();
    }
    const key = `${snapshot.driver}\n${handle}`;
    const created = this.#stubs.get(key) ?? this.#create(snapshot, handle, namespace, signal);
    this.#stubs.set(key, created);
    const stub = await created;
    const imported = await work();
    stub?.imported.push(imported);
    return imported;
  }

  /** Removes the stubs, except those whose snapshots are still imported. Never rejects. */
  async remove(): Promise<void> {
    const { cluster, clock, record } = this.#options;
    using deadline = withDeadline(undefined, cleanUpTimeoutMs, clock);
    const options = { signal: deadline.signal };
    for (const created of this.#stubs.values()) {
      const stub = await created;
      try {
        if (stub !== undefined && !(await this.#isNeeded(stub, deadline.signal))) {
          await cluster.delete(stub.reference, options);
        }
      } catch (error) {
        record.addIssue({
          severity: 'warning',
          reason: 'SnapshotObjectsLeft',
          message: `VolumeGroupSnapshotContent ${stub?.reference.name ?? ''}, which stood in for a volume group, could not be removed: ${messageOf(error)}`,
        });
      }
    }
  }

  async #isNeeded({ imported }: GroupStub, signal: AbortSignal): Promise<boolean> {
    for (const { cluster, namespace, name, volumeSnapshot } of imported) {
      const reference = { ...Resources.volumeSnapshots, namespace, name };
      const found = await cluster.get(reference, { signal });
      if (found?.metadata.uid === volumeSnapshot.metadata.uid) {
        return true;
      }
    }
    return false;
  }

  async #create(
    snapshot: ArchivedSnapshot,
    groupSnapshotHandle: string,
    namespace: string,
    signal: AbortSignal,
  ): Promise<GroupStub | undefined> {
    const { cluster, restore, record } = this.#options;
    try {
      const { resources, classes } = await (this.#target ??= readTarget(cluster, signal));
      // The name that Velero derives too.
      const name = digestOf(`${restore.metadata.uid ?? ''}/${groupSnapshotHandle}`);
      const reference = { ...resources.contents, name };
      const manifest = groupContentManifest({
        apiVersion: resources.apiVersion,
        name,
        labels: {
          [VeleroLabel.backupName]: labelValueOf(restore.spec.backupName),
          [VeleroLabel.restoreName]: labelValueOf(restore.metadata.name),
        },
        driver: snapshot.driver,
        deletionPolicy: 'Retain',
        groupSnapshotHandle,
        snapshotHandles: memberHandlesOf(snapshot),
        origin: snapshot.volumeSnapshotContent,
        classes,
        groupSnapshotRef: { namespace, name: `stub-vgs-${name.slice(0, 8)}` },
      });
      await createUnlessThere(cluster, reference, manifest, signal);
      const patch = { status: { volumeGroupSnapshotHandle: groupSnapshotHandle } };
      await cluster.patch(reference, { type: 'merge', patch }, { subresource: 'status', signal });
      return { reference, imported: [] };
    } catch (error) {
      signal.throwIfAborted();
      record.addIssue({
        severity: 'warning',
        reason: 'GroupStubNotCreated',
        message: `its snapshots are of volume group ${groupSnapshotHandle}, which nothing stands for in this cluster: ${messageOf(error)}`,
      });
      return undefined;
    }
  }
}

async function readTarget(cluster: Cluster, signal: AbortSignal): Promise<StubTarget> {
  const resources = groupSnapshotResources(await cluster.discover({ signal }));
  if (resources === undefined) {
    throw new Error(`${cluster.location} does not serve groupsnapshot.storage.k8s.io`);
  }
  return { resources, classes: await Array.fromAsync(cluster.list(resources.classes, { signal })) };
}

async function createUnlessThere(
  cluster: Cluster,
  reference: ObjectReference,
  manifest: ReturnType<typeof groupContentManifest>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await cluster.create(reference, manifest, { signal });
  } catch (error) {
    if (!isLifeboatError(error, 'AlreadyExists')) {
      throw error;
    }
  }
}

function groupHandleOf({
  volumeSnapshot,
  volumeSnapshotContent,
}: ArchivedSnapshot): string | undefined {
  const annotated = volumeSnapshot.metadata.annotations?.[VeleroAnnotation.groupSnapshotHandle];
  return (
    annotated ?? stringAt(volumeSnapshotContent ?? {}, ['status', 'volumeGroupSnapshotHandle'])
  );
}

/** All snapshots of the group where the backup tells them, as Lifeboat's do; else the one. */
function memberHandlesOf({ volumeSnapshot, snapshotHandle }: ArchivedSnapshot): readonly string[] {
  const told = parsedMembers(volumeSnapshot);
  return told.includes(snapshotHandle) ? told : [snapshotHandle];
}

function parsedMembers({ metadata }: KubernetesObject): readonly string[] {
  try {
    const value = parseJson(metadata.annotations?.[groupMembersAnnotation] ?? '[]');
    return isJsonArray(value) ? value.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
