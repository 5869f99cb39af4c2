/**
 * One rule of a port, as a check that any test runner, or none, can run: it uses `node:assert` alone and rejects when the
 * rule is broken.
 *
 * @example
 * ```ts
 * for (const { name, run } of objectStoreContract) it(name, () => run(context));
 * ```
 */
export interface ContractCase<Context, Need extends string = string> {
  /** The rule, as a sentence: `a failing source leaves no object`. */
  readonly name: string;
  /** What the case asks of its host beyond the minimum; a host without it does not run the case, and says so. */
  readonly needs?: Need | undefined;
  /** Checks the rule; cleans up what it made. */
  readonly run: (context: Context) => Promise<void>;
}
