import { isLifeboatError } from '../errors.ts';

const attempts = 5;

/**
 * Repeats a write of the present state of an object that somebody else has changed in between, up to five times.
 *
 * @throws the last failure, or the first one that is no Conflict.
 */
export async function retryConflicts(write: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await write();
      return;
    } catch (error) {
      if (!isLifeboatError(error, 'Conflict') || attempt >= attempts) {
        throw error;
      }
    }
  }
}
