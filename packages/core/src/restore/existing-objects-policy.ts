import type { RestoreSpec } from '../model/restore.ts';
import type { ExistingObjectsPolicy } from './decide-item.ts';

/** What happens to objects that exist and differ: what the option says, else what the spec says, else nothing. */
export function existingObjectsPolicy(
  { existingResourcePolicy }: RestoreSpec,
  { existingObjects }: { readonly existingObjects?: 'recreate' | undefined },
): ExistingObjectsPolicy {
  if (existingObjects !== undefined) {
    return existingObjects;
  }
  return existingResourcePolicy === 'update' ? 'update' : 'none';
}
