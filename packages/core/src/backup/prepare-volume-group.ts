import type { Backup } from '../model/backup.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import { chooseVolumeGroupSnapshotClass } from '../snapshot/group-snapshot-class.ts';
import type { GroupSnapshotSession } from '../snapshot/group-snapshot-session.ts';
import type { GroupMember } from '../snapshot/taken-group-snapshot.ts';
import { planVolumeGroup } from './plan-volume-group.ts';

/** The claims of a namespace that carry one value of the group label. */
export interface GroupLabel {
  readonly namespace: string;
  readonly key: string;
  readonly value: string;
}

/** A group that can be snapshotted as one, or why it cannot. */
export type PreparedVolumeGroup =
  | {
      readonly session: GroupSnapshotSession;
      readonly driver: string;
      readonly members: readonly GroupMember[];
      readonly groupSnapshotClass: KubernetesObject;
    }
  | { readonly refusal: string; readonly claimNames: readonly string[] };

/** Finds out whether, and with what, a group can be snapshotted as one. */
export async function prepareVolumeGroup(
  {
    cluster,
    backup,
    signal,
  }: {
    readonly cluster: Cluster;
    readonly backup: Backup;
    readonly signal: AbortSignal;
  },
  { namespace, key, value }: GroupLabel,
  openSession: () => Promise<GroupSnapshotSession | undefined>,
): Promise<PreparedVolumeGroup> {
  const claims = await Array.fromAsync(
    cluster.list(Resources.persistentVolumeClaims, {
      namespace,
      labelSelector: `${key}=${value}`,
      signal,
    }),
  );
  const refused = (refusal: string): PreparedVolumeGroup => ({
    refusal,
    claimNames: claims.map(({ metadata }) => metadata.name).sort(),
  });
  const plan = planVolumeGroup(claims, await volumesOf(claims, cluster, signal));
  if ('refusal' in plan) {
    return refused(plan.refusal);
  }
  const session = await openSession();
  if (session === undefined) {
    return refused(`${cluster.location} does not serve groupsnapshot.storage.k8s.io`);
  }
  const choice = chooseVolumeGroupSnapshotClass({
    classes: await session.classes({ signal }),
    driver: plan.driver,
    claims,
    backupAnnotations: backup.metadata.annotations ?? {},
  });
  return 'refusal' in choice ? refused(choice.refusal) : { ...plan, ...choice, session };
}

async function volumesOf(
  claims: readonly KubernetesObject[],
  cluster: Cluster,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, KubernetesObject>> {
  const volumes = new Map<string, KubernetesObject>();
  for (const claim of claims) {
    const name = stringAt(claim, ['spec', 'volumeName']);
    const volume =
      name === undefined
        ? undefined
        : await cluster.get({ ...Resources.persistentVolumes, name }, { signal });
    if (volume !== undefined) {
      volumes.set(volume.metadata.name, volume);
    }
  }
  return volumes;
}
