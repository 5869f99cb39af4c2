import { accessCases } from './access-cases.ts';
import { conditionalCases } from './conditional-cases.ts';
import { failureCases } from './failure-cases.ts';
import { keyCases } from './key-cases.ts';
import { listCases } from './list-cases.ts';
import { lockCases } from './lock-cases.ts';
import type { ObjectStoreContractCase } from './object-store-contract-context.ts';
import { readWriteCases } from './read-write-cases.ts';
import { signUrlCases } from './sign-url-cases.ts';

/**
 * The contract of the `ObjectStore` port as cases that need no test runner: what every store has to do.
 *
 * A host runs each case with a prefix of its own, and leaves out those with an {@link unmetNeed}. Cases may run side by side
 * on one store, and in a bucket that is used for other things.
 *
 * @example
 * ```ts
 * for (const contractCase of objectStoreContract) {
 *   const { name, run } = contractCase;
 *   it(name, () => run({ store, open, prefix: `contract/${randomUUID()}/`, signal }));
 * }
 * ```
 */
export const objectStoreContract: readonly ObjectStoreContractCase[] = [
  ...readWriteCases,
  ...keyCases,
  ...failureCases,
  ...listCases,
  ...conditionalCases,
  ...accessCases,
  ...signUrlCases,
  ...lockCases,
];
