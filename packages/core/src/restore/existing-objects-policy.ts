import type { RestoreSpec } from '../model/restore.ts';
import type { ExistingObjectsPolicy } from './decide-item.ts';
import type { RestoreOptions } from './request.ts';

/** What happens to objects that exist and differ: what the option says, else what the spec says, else nothing. */
export function existingObjectsPolicy(
  { existingResourcePolicy }: RestoreSpec,
  { existingObjects }: Pick<RestoreOptions, 'existingObjects'>,
): ExistingObjectsPolicy {
  if (existingObjects !== undefined) {
    return existingObjects === 'rollback' ? 'update' : existingObjects;
  }
  return existingResourcePolicy === 'update' ? 'update' : 'none';
}
