import { describe, expect, it } from 'vitest';

import type { LogFields } from '../../ports/logger.ts';
import { formatLogLine } from './log-line.ts';

const time = new Date('2026-11-24T14:09:02.345Z');
const level = 'info';

describe('formatLogLine', () => {
  it.each<[string, LogFields, string]>([
    ['Done', {}, 'msg=Done'],
    ['Setting up backup', { backup: 'velero/b1' }, 'msg="Setting up backup" backup=velero/b1'],
    ['x', { size: 12, name: 'a b', ok: true, none: undefined }, 'msg=x name="a b" ok=true size=12'],
    ['', { empty: '' }, 'msg="" empty=""'],
    ['say "hi"', {}, 'msg="say \\"hi\\""'],
  ])('writes %j with %j as logrus does', (message, fields, rest) => {
    expect(formatLogLine({ time, level, message, fields })).toBe(
      `time="2026-11-24T14:09:02Z" level=info ${rest}\n`,
    );
  });

  it('keeps a message with line breaks and control characters on one line', () => {
    const message = 'a\nb\r\u2028c\u007f\u0085';
    expect(formatLogLine({ time, level: 'warning', message })).toBe(
      'time="2026-11-24T14:09:02Z" level=warning msg="a\\nb\\r\\u2028c\\u007f\\u0085"\n',
    );
  });
});
