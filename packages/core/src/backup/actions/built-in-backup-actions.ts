import type { BackupItemAction } from '../../ports/item-action.ts';
import { createCustomResourceAction } from './custom-resource.ts';
import { persistentVolumeClaimAction } from './persistent-volume-claim.ts';
import { podAction } from './pod.ts';
import { createServiceAccountAction } from './service-account.ts';

/** The actions that every backup runs. Those with a memory of the run are new in each list. */
export function builtInBackupActions(): readonly BackupItemAction[] {
  return [
    podAction,
    persistentVolumeClaimAction,
    createServiceAccountAction(),
    createCustomResourceAction(),
  ];
}
