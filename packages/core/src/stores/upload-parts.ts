import { AbortScope } from '../internal/abort-scope.ts';
import { abortable } from '../internal/abortable.ts';
import { runAll } from '../internal/run-all.ts';
import type { BodyPart } from './parts-of.ts';

/** Options of {@link uploadParts}. */
export interface UploadPartsOptions {
  /** How many parts are sent at a time; each is held in memory meanwhile. */
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends the parts of a body, numbered from 1, several at a time.
 *
 * - A part is asked for only when there is room for it. One that was sent is released: `upload` resolves only when nothing reads
 *   its bytes any more. One that failed is not, because its request may still do so.
 * - The first failure, of the body or of a part, aborts the others; all of them are awaited, and it is thrown. That holds while
 *   the body hangs, too.
 * - Aborted: likewise, with `signal.reason`.
 */
export async function uploadParts(
  parts: AsyncIterable<BodyPart>,
  upload: (part: BodyPart, number: number, signal: AbortSignal) => Promise<void>,
  { concurrency, signal }: UploadPartsOptions,
): Promise<void> {
  using scope = new AbortScope(signal);
  let count = 0;
  await runAll(
    abortable(parts, scope.signal),
    async (part, siblingSignal) => {
      count += 1;
      try {
        await upload(part, count, siblingSignal);
        part.release();
      } catch (error) {
        scope.abort(error);
        throw error;
      }
    },
    { concurrency, signal },
  );
}
