import { randomUUID } from 'node:crypto';
import {
  type ObjectStoreContractContext,
  type ObjectStoreContractNeed,
  objectStoreContract,
  unmetNeed,
} from '@lifeboat/core/testing';
import { expect, it } from 'vitest';

/** What a host gives to all cases. */
export type ContractHost = Omit<ObjectStoreContractContext, 'prefix' | 'signal'>;

/** What a host says beforehand. */
export interface ContractHostOptions {
  /** Gives the host, once its server is there. */
  readonly host: () => ContractHost;
  /** Exactly what cases need and the host does not give: those cases are left out, and no others can be. */
  readonly leaves: readonly ObjectStoreContractNeed[];
}

/**
 * Declares the contract suite as tests of the file it is called in, one after the other because some count requests.
 *
 * - A case is left out only for a need that the host names; a test checks that it names no other.
 */
export function keepsTheContract({ host, leaves }: ContractHostOptions): void {
  const left = objectStoreContract.filter(
    ({ needs }) => needs !== undefined && leaves.includes(needs),
  );
  for (const contractCase of objectStoreContract) {
    if (left.includes(contractCase)) continue;
    it(contractCase.name, async ({ signal }) => {
      const context = { ...host(), prefix: `contract/${randomUUID()}/`, signal };
      expect(unmetNeed(contractCase, context)).toBeUndefined();
      await contractCase.run(context);
      expect(await Array.fromAsync(context.store.list(context.prefix))).toEqual([]);
    });
  }

  it(`leaves out the ${left.length} cases whose needs it cannot meet, and no others`, ({
    signal,
  }) => {
    const context = { ...host(), prefix: 'contract/', signal };
    const unmet = objectStoreContract.filter((each) => unmetNeed(each, context) !== undefined);
    expect(unmet.map(({ name }) => name)).toEqual(left.map(({ name }) => name));
  });
}
