import { randomUUID } from 'node:crypto';
import { messageOf } from '../errors.ts';
import { withDeadline } from '../internal/with-deadline.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import { conditionalCases } from './object-store-contract/conditional-cases.ts';
import { failureCases } from './object-store-contract/failure-cases.ts';
import { keyCases } from './object-store-contract/key-cases.ts';
import { listCases } from './object-store-contract/list-cases.ts';
import {
  type ObjectStoreContractCase,
  type ObjectStoreContractContext,
  unmetNeed,
} from './object-store-contract/object-store-contract-context.ts';
import { readWriteCases } from './object-store-contract/read-write-cases.ts';
import { settlingStore } from './object-store-contract/settling-store.ts';
import { signUrlCases } from './object-store-contract/sign-url-cases.ts';
import { storeRights } from './store-rights.ts';

/** Options of {@link validateObjectStore}. */
export interface ValidateObjectStoreOptions extends CallOptions {
  /**
   * How many keys the store lists at a time. Lists of more than that are tried, which is most of the work: some 4,000 requests
   * with the default.
   * @default 1_000
   */
  readonly pageSize?: number | undefined;
  /**
   * How long a change may take until every read sees it. The engine waits for nothing: a store that is fit only with this can
   * miss backups that were written a moment before.
   * @default 0
   */
  readonly settleMs?: number | undefined;
  /** How long one rule may take before it counts as broken. @default 120_000 */
  readonly timeoutMs?: number | undefined;
  /** Receives each finding when it is made. What it throws ends the validation. */
  readonly onFinding?: ((finding: ObjectStoreFinding) => void) | undefined;
}

/** How a store keeps one rule. */
export interface ObjectStoreFinding {
  /** As a sentence: `a list longer than a page has each key once`. */
  readonly rule: string;
  /** `untested`: the store says itself that it cannot do that, or what comes before it failed. */
  readonly outcome: 'kept' | 'broken' | 'untested';
  /** What was seen instead, or why it was not tested. */
  readonly reason?: string | undefined;
  /** What it means for backups if the rule is broken. */
  readonly consequence: string;
}

/** Whether backups can be kept in a store. */
export interface ObjectStoreReport {
  readonly location: string;
  /** No rule is broken. */
  readonly isFit: boolean;
  readonly findings: readonly ObjectStoreFinding[];
  /** The report for people, a line for each thing that they should know. */
  readonly summary: string;
}

const defaultTimeoutMs = 120_000;
// Leaves room for the prefix of the store, which counts towards the 1,024 bytes.
const longestKeyBytes = 900;

const groups: readonly {
  readonly consequence: string;
  readonly cases: readonly ObjectStoreContractCase[];
}[] = [
  { consequence: 'a backup might not be read back as it was written', cases: readWriteCases },
  { consequence: 'some backups might have names that cannot be stored', cases: keyCases },
  { consequence: 'a backup that failed might look like a good one', cases: failureCases },
  { consequence: 'backups might be missing from the catalog, or not be deleted', cases: listCases },
  { consequence: 'two clusters might write one backup at the same time', cases: conditionalCases },
  { consequence: 'logs and archives could not be downloaded by URL', cases: signUrlCases },
];

/**
 * Finds out whether backups can be kept in a store, by using it: the rights of its credentials first, then every rule of the
 * contract that needs no second store. Meant for a new bucket, or a server that nobody has tried.
 *
 * - Works below a folder of its own, `plugins/lifeboat-validation-…/`, a top level that Velero tolerates, and removes it at the
 *   end, also after a failure or an abort.
 * - A store that does not work is a report, not an error. Without the rights nothing else is tried.
 * - Aborted: rejects with `signal.reason`, once what is under way has ended and is removed.
 *
 * @example
 * ```ts
 * const { isFit, summary } = await validateObjectStore(store);
 * if (!isFit) console.error(summary);
 * ```
 */
export async function validateObjectStore(
  store: ObjectStore,
  options: ValidateObjectStoreOptions = {},
): Promise<ObjectStoreReport> {
  const { signal, onFinding, settleMs = 0 } = options;
  const settling = settleMs > 0 ? settlingStore(store, settleMs) : store;
  const folder = `plugins/lifeboat-validation-${randomUUID()}/`;
  const findings: ObjectStoreFinding[] = [];
  const note = (finding: ObjectStoreFinding): void => {
    findings.push(finding);
    onFinding?.(finding);
  };
  try {
    for (const [rule, attempt] of Object.entries(storeRights)) {
      const consequence = 'no backup can be kept here';
      note(await judge({ rule, consequence }, options, (own) => attempt(settling, folder, own)));
    }
    const isUsable = findings.every(({ outcome }) => outcome === 'kept');
    for (const { consequence, cases } of groups) {
      for (const contractCase of cases.filter(needsTheStoreAlone)) {
        const subject = { rule: contractCase.name, consequence };
        const prefix = `${folder}${findings.length}/`;
        note(
          isUsable
            ? await tryCase(store, contractCase, subject, prefix, options)
            : { ...subject, outcome: 'untested', reason: 'the rights above are missing' },
        );
      }
    }
  } finally {
    await removeAll(store, folder);
  }
  signal?.throwIfAborted();
  return reportOf(store.location, findings);
}

/** Whether a case needs nothing that only a test has, such as a server of its own. */
function needsTheStoreAlone({ needs }: ObjectStoreContractCase): boolean {
  return needs === undefined || needs === 'ifAbsent' || needs === 'signUrl';
}

type Subject = Pick<ObjectStoreFinding, 'rule' | 'consequence'>;

async function tryCase(
  store: ObjectStore,
  contractCase: ObjectStoreContractCase,
  subject: Subject,
  prefix: string,
  options: ValidateObjectStoreOptions,
): Promise<ObjectStoreFinding> {
  const { pageSize, settleMs } = options;
  const host = { store, prefix, longestKeyBytes, pageSize, settleMs };
  const contextWith = (signal: AbortSignal): ObjectStoreContractContext => ({ ...host, signal });
  if (unmetNeed(contractCase, contextWith(AbortSignal.abort())) !== undefined) {
    return { ...subject, outcome: 'untested', reason: 'the store says that it cannot do that' };
  }
  return judge(subject, options, (signal) => contractCase.run(contextWith(signal)));
}

async function judge(
  subject: Subject,
  { signal, timeoutMs = defaultTimeoutMs }: ValidateObjectStoreOptions,
  attempt: (signal: AbortSignal) => Promise<void>,
): Promise<ObjectStoreFinding> {
  signal?.throwIfAborted();
  using deadline = withDeadline(signal, timeoutMs);
  try {
    await attempt(deadline.signal);
    return { ...subject, outcome: 'kept' };
  } catch (error) {
    signal?.throwIfAborted();
    const [firstLine = ''] = messageOf(error).split('\n');
    return { ...subject, outcome: 'broken', reason: firstLine };
  }
}

// Without a signal: what an aborted validation has left is removed too. A store that cannot even list has nothing to remove.
async function removeAll(store: ObjectStore, folder: string): Promise<void> {
  try {
    for await (const { key } of store.list(folder)) {
      await store.delete(key);
    }
  } catch {
    // The report, or the reason of the abort, counts.
  }
}

function reportOf(location: string, findings: readonly ObjectStoreFinding[]): ObjectStoreReport {
  const broken = findings.filter(({ outcome }) => outcome === 'broken');
  const untested = findings.filter(({ outcome }) => outcome === 'untested');
  const isFit = broken.length === 0;
  const lines = [
    isFit
      ? `${location} is fit to keep backups.`
      : `${location} is not fit to keep backups: it breaks ${broken.length} of ${findings.length} rules.`,
    ...broken.map(
      ({ rule, reason, consequence }) => `Broken: ${rule}. Seen: ${reason}. So ${consequence}.`,
    ),
    ...untested.map(({ rule, reason }) => `Not tested: ${rule}, because ${reason}.`),
  ];
  return { location, isFit, findings, summary: lines.join('\n') };
}
