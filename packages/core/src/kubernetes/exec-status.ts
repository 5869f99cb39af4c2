import { ClusterError } from '../errors.ts';
import { isJsonObject } from '../model/json.ts';
import { objectsAt, stringAt } from '../model/object-path.ts';
import { type ErrorSubject, unexpectedAnswer } from './errors.ts';
import { parseBody } from './parse-body.ts';

/**
 * The exit code in the Status that ends a command.
 *
 * @throws {ClusterError} code Unknown when the command could not be started.
 */
export function exitCodeOf(subject: ErrorSubject, text: string): number {
  const status = parseBody(text);
  if (!isJsonObject(status)) {
    throw unexpectedAnswer(subject, "the command's status is not JSON");
  }
  if (stringAt(status, ['status']) === 'Success') {
    return 0;
  }
  const exitCode = objectsAt(status, ['details', 'causes'])
    .filter((cause) => stringAt(cause, ['reason']) === 'ExitCode')
    .map((cause) => Number(stringAt(cause, ['message'])))
    .find(Number.isInteger);
  if (exitCode === undefined) {
    const { operation, target } = subject;
    const why = stringAt(status, ['message']) ?? 'the API server gave no reason';
    throw new ClusterError(`${operation} ${target}: the command could not be run: ${why}`, {
      code: 'Unknown',
      operation,
      target,
      reason: stringAt(status, ['reason']),
    });
  }
  return exitCode;
}
