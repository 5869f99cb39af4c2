import { isLifeboatError, messageOf } from '../errors.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { DecidedItem } from './item-decider.ts';

/** What the API server says to a decision. */
export type ServerVerdict =
  | { readonly kind: 'not asked' }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/**
 * Asks the API server, by a dry run of the write, what it would say to a decision. About an object that would be deleted first it
 * cannot be asked. Rejects only when aborted.
 */
export async function askServer(
  { decision, item }: DecidedItem,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<ServerVerdict> {
  if (item === undefined) {
    return { kind: 'not asked' };
  }
  const { reference, manifest } = item;
  const options = { dryRun: true, signal };
  try {
    if (decision.action === 'create') {
      await cluster.create(reference, manifest, options);
    } else if (decision.action === 'update') {
      await cluster.patch(reference, { type: 'merge', patch: decision.patch }, options);
    } else {
      return { kind: 'not asked' };
    }
    return { kind: 'accepted' };
  } catch (error) {
    signal.throwIfAborted();
    const code = isLifeboatError(error) ? error.code : 'ItemFailed';
    return { kind: 'refused', code, message: messageOf(error) };
  }
}
