/** Why a patch cannot be applied: it is no patch at all, or it does not fit the object. */
export type PatchFailureReason = 'Malformed' | 'TestFailed' | 'PathMissing';

/** A patch that cannot be applied. */
export class PatchFailure extends Error {
  readonly reason: PatchFailureReason;

  constructor(message: string, reason: PatchFailureReason) {
    super(message);
    this.reason = reason;
  }
}
