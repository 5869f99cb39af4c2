import { isLifeboatError } from '../errors.ts';

const attempts = 5;

/**
 * Repeats a write of the present state of an object that somebody else has changed in between, up to five times.
 *
 * @throws the last failure, or the first one that is no Conflict.
 */
export async function retryConflicts<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      if (!isLifeboatError(error, 'Conflict') || attempt >= attempts) {
        throw error;
      }
    }
  }
}
