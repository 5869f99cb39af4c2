import { formatTimestamp } from '../../model/timestamp.ts';
import type { LogFields } from '../../ports/logger.ts';

/** One line of a backup's or restore's log. */
export interface LogEntry {
  readonly time: Date;
  readonly level: 'debug' | 'info' | 'warning' | 'error';
  readonly message: string;
  readonly fields?: LogFields | undefined;
}

const plainValue: RegExp = /^[A-Za-z0-9._/@^+-]+$/;

/**
 * Formats a log line as `velero backup logs` shows it, in the text format of logrus: time, level, message, then the fields by
 * name. Ends with a newline, and no value can add another line.
 */
export function formatLogLine({ time, level, message, fields = {} }: LogEntry): string {
  const members = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => ` ${name}=${quoted(String(value))}`);
  return `time="${formatTimestamp(time)}" level=${level} msg=${quoted(message)}${members.join('')}\n`;
}

function quoted(text: string): string {
  return plainValue.test(text)
    ? text
    : JSON.stringify(text).replace(
        /[\u007f-\u009f\u2028\u2029]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
}
