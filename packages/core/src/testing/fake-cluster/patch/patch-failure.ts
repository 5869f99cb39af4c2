/** A patch that cannot be applied: `malformed` when it is no patch at all, else it does not fit the object. */
export class PatchFailure extends Error {
  readonly malformed: boolean;

  constructor(message: string, malformed: boolean) {
    super(message);
    this.malformed = malformed;
  }
}
