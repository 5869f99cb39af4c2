/** Why a patch cannot be applied: it is no patch at all, or it does not fit the object. */
export type PatchFailureKind = 'Malformed' | 'TestFailed' | 'PathMissing';

/** A patch that cannot be applied. */
export class PatchFailure extends Error {
  readonly kind: PatchFailureKind;

  constructor(message: string, kind: PatchFailureKind) {
    super(message);
    this.kind = kind;
  }
}
