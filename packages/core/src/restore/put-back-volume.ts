import { messageOf } from '../errors.ts';
import { groupResourceOf } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { AwaitedClaim } from './awaited-claim.ts';
import { volumePatch } from './original-volume.ts';
import type { RestoreRecord } from './restore-record.ts';
import { retryConflicts } from './retry-conflicts.ts';
import { writeDeadline } from './write-deadline.ts';

/** What {@link putBackVolume} works with. */
export interface PutBackVolumeOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly record: RestoreRecord;
  readonly signal: AbortSignal;
}

/**
 * Gives the volume that a restored claim was bound to the labels and the reclaim policy of the original. Only the volume is
 * written, and only if it has not changed since it was read. A failure is a warning of the claim. Aborted: rejects with
 * `signal.reason`.
 */
export async function putBackVolume(
  options: PutBackVolumeOptions,
  { namespace, name, original }: AwaitedClaim,
  volumeName: string,
): Promise<void> {
  const { record, signal } = options;
  if (original === undefined) {
    return;
  }
  try {
    await retryConflicts(() => patchOnce(options, original, volumeName));
  } catch (error) {
    signal.throwIfAborted();
    record.addIssue({
      severity: 'warning',
      reason: 'VolumeNotAdjusted',
      message: `its volume ${volumeName} has the labels and the reclaim policy that its StorageClass gives, not those of the original: ${messageOf(error)}`,
      object: { groupResource: groupResourceOf(Resources.persistentVolumeClaims), namespace, name },
    });
  }
}

async function patchOnce(
  { cluster, clock, signal }: PutBackVolumeOptions,
  original: NonNullable<AwaitedClaim['original']>,
  name: string,
): Promise<void> {
  const reference = { ...Resources.persistentVolumes, name };
  const volume = await cluster.get(reference, { signal });
  const patch = volume && volumePatch(volume, original);
  if (volume === undefined || patch === undefined) {
    return;
  }
  const { resourceVersion = '' } = volume.metadata;
  const { metadata, ...rest } = patch;
  const conditional = {
    ...rest,
    metadata: { ...(typeof metadata === 'object' ? metadata : {}), resourceVersion },
  };
  signal.throwIfAborted();
  using deadline = writeDeadline(clock);
  await cluster.patch(
    reference,
    { type: 'merge', patch: conditional },
    { signal: deadline.signal },
  );
}
