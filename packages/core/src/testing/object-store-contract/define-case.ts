import type { ObjectStore } from '../../ports/object-store.ts';
import type {
  ObjectStoreContractCase,
  ObjectStoreContractContext,
  ObjectStoreContractNeed,
} from './object-store-contract-context.ts';
import { settlingStore } from './settling-store.ts';

/** A case that waits for changes as long as its host says, and afterwards removes whatever stands below its prefix. */
export function defineCase(
  name: string,
  run: (context: ObjectStoreContractContext) => Promise<void>,
  needs?: ObjectStoreContractNeed,
): ObjectStoreContractCase {
  return {
    name,
    needs,
    run: async (given) => {
      const { store, settleMs = 0 } = given;
      const context = settleMs > 0 ? { ...given, store: settlingStore(store, settleMs) } : given;
      try {
        await run(context);
      } catch (error) {
        // The finding counts, not that a store in this state cannot be cleaned up either.
        await removeAll(context.store, context.prefix).catch(() => undefined);
        throw error;
      }
      await removeAll(context.store, context.prefix);
    },
  };
}

// Without a signal: what a case that was cut off has left is removed too.
async function removeAll(store: ObjectStore, prefix: string): Promise<void> {
  for await (const { key } of store.list(prefix)) {
    await store.delete(key);
  }
}
