import type { ResourceIdentifier } from './kubernetes.ts';

/**
 * Something a run could not do, or did in a way its user should know. An error makes the run `PartiallyFailed`; a warning
 * does not change its phase.
 */
export interface Issue {
  readonly severity: 'error' | 'warning';
  /** What kind of problem, stable for programs: an error code such as `SnapshotFailed` or a reason such as `ClaimNotBound`. */
  readonly reason: string;
  /** What failed, why, and what to do, for people. Never holds a secret. */
  readonly message: string;
  /** The object it is about; absent when it is about the run as a whole. */
  readonly object?: ResourceIdentifier | undefined;
}
