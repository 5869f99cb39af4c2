import { describe, expect, it } from 'vitest';
import { exitCodeOf } from './exec-status.ts';

const subject = { operation: 'PodExec.exec', target: 'pods shop/web container app' };

describe('exitCodeOf', () => {
  it.each([
    ['success', { status: 'Success' }, 0],
    ['an exit code', failure('NonZeroExitCode', 'ExitCode', '42'), 42],
  ])('%s', (_name, status, exitCode) => {
    expect(exitCodeOf(subject, JSON.stringify(status))).toBe(exitCode);
  });

  it('a command that could not be started is an error with the reason', () => {
    const status = { status: 'Failure', reason: 'InternalError', message: 'no such file' };
    expect(() => exitCodeOf(subject, JSON.stringify(status))).toThrow(
      'PodExec.exec pods shop/web container app: the command could not be run: no such file',
    );
  });

  it.each([
    '',
    'oops',
    '[]',
    '{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"x"}]}}',
  ])('a status without an exit code is an error: %j', (text) => {
    expect(() => exitCodeOf(subject, text)).toThrow(/pods shop\/web/);
  });
});

function failure(reason: string, cause: string, message: string): unknown {
  return { status: 'Failure', reason, details: { causes: [{ reason: cause, message }] } };
}
