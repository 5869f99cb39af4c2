import { expect, it } from 'vitest';
import type { LogFields, Logger } from '../ports/logger.ts';
import { RunLog } from './run-log.ts';

function collectingLogger(lines: [string, string, LogFields | undefined][]): Logger {
  const take =
    (level: string) =>
    (message: string, fields?: LogFields): void => {
      lines.push([level, message, fields]);
    };
  return { debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') };
}

it('passes every line on and keeps all but debug lines, with the fields of the run', () => {
  const passed: [string, string, LogFields | undefined][] = [];
  const clock = { now: () => new Date('2026-01-02T03:04:05Z'), sleep: async () => {} };
  const log = new RunLog(collectingLogger(passed), clock, { backup: 'velero/shop' });
  log.debug('request', { path: '/api' });
  log.info('backup started');
  log.warn('claim is Pending', { name: 'data' });
  log.error('listing failed');
  expect(passed.map(([level]) => level)).toEqual(['debug', 'info', 'warn', 'error']);
  expect(passed[2]).toEqual(['warn', 'claim is Pending', { backup: 'velero/shop', name: 'data' }]);
  expect(log.text).toBe(
    [
      'time="2026-01-02T03:04:05Z" level=info msg="backup started" backup=velero/shop\n',
      'time="2026-01-02T03:04:05Z" level=warning msg="claim is Pending" backup=velero/shop name=data\n',
      'time="2026-01-02T03:04:05Z" level=error msg="listing failed" backup=velero/shop\n',
    ].join(''),
  );
});
