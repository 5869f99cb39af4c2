import type { HookRunner } from '../hooks/hook-runner.ts';
import { unlessAborted } from '../internal/unless-aborted.ts';
import type { ApiResource, KubernetesObject } from '../model/kubernetes.ts';
import { claimNamesOf } from '../model/pod-claims.ts';
import type { BackupRecord } from './backup-record.ts';
import type { ClaimVolumes, NamedClaim } from './claim-volumes.ts';
import type { ItemBackupper } from './item-backupper.ts';
import { PodHookWindow } from './pod-hook-window.ts';
import type { PodHooks } from './pod-hooks.ts';
import type { StoreObject } from './pulled-items.ts';

/** A pod that is to be backed up, with its hooks. */
export interface HookedPod {
  readonly resource: ApiResource;
  readonly pod: KubernetesObject;
  readonly hooks: PodHooks;
}

/** What {@link backUpInWindow} works with. */
export interface HookWindowOptions {
  readonly backupper: ItemBackupper;
  readonly volumes: Pick<ClaimVolumes, 'untilCut'>;
  readonly runner: HookRunner;
  readonly record: BackupRecord;
}

/**
 * Backs up pods whose data belongs together in one window: the pre hooks of all, then the snapshots of all their claims, requested
 * at once, and when the storage has cut them, or they have failed, the post hooks.
 *
 * - The window is no longer than that: what goes into the archive is written when it is closed.
 * - Whatever ends it early, an abort of the signal included, the post hooks of every pod of which a pre hook may have run are run,
 *   before the call rejects.
 */
export async function backUpInWindow(
  options: HookWindowOptions,
  pods: readonly HookedPod[],
  signal: AbortSignal,
): Promise<void> {
  const windows = pods.map((pod) => new PodHookWindow(pod, options));
  const writes: (() => Promise<void>)[] = [];
  const writeLater: StoreObject = async (resource, object) => {
    writes.push(() => options.backupper.storeOrReport(resource, object));
  };
  const work = requestTogether(options, pods, windows, { writeLater, signal });
  let undisturbed = false;
  try {
    const claims = await unlessAborted(work, signal);
    const cut = await unlessAborted(options.volumes.untilCut(claims), signal);
    undisturbed = true;
    noteQuiesced(options.record, pods, windows, cut);
  } finally {
    await Promise.all(windows.map((window) => window.close({ undisturbed })));
    await work.catch(() => undefined);
  }
  for (const write of writes) {
    await write();
  }
}

/**
 * A claim that another pod of the block may write to is as after a power cut, whatever the hooks of this one; so is one that is
 * snapshotted later, because an item action kept the pod out or failed before the pod could pull it along.
 */
function noteQuiesced(
  record: BackupRecord,
  pods: readonly HookedPod[],
  windows: readonly PodHookWindow[],
  cut: readonly NamedClaim[],
): void {
  const writable = new Set(
    pods.flatMap(({ pod }, index) => (windows[index]?.quiesced === true ? [] : claimNamesOf(pod))),
  );
  for (const claim of cut.filter(({ metadata }) => !writable.has(metadata.name))) {
    record.addQuiesced(claim);
  }
}

/** Runs the pre hooks and requests the snapshots; resolves with the claims of the pods that are backed up. */
async function requestTogether(
  { backupper }: HookWindowOptions,
  pods: readonly HookedPod[],
  windows: readonly PodHookWindow[],
  { writeLater, signal }: { readonly writeLater: StoreObject; readonly signal: AbortSignal },
): Promise<readonly NamedClaim[]> {
  const opened: HookedPod[] = [];
  for (const [index, pod] of pods.entries()) {
    if (await windows[index]?.open(signal)) {
      opened.push(pod);
    }
  }
  for (const { resource, pod } of opened) {
    await backupper.backUp(resource, pod, { store: writeLater, urgent: true });
  }
  return opened.flatMap(({ pod }) => {
    const { namespace } = pod.metadata;
    return claimNamesOf(pod).map((name) => ({ metadata: { namespace, name } }));
  });
}
