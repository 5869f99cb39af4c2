import type { Clock } from '../ports/clock.ts';
import type { LogFields, Logger } from '../ports/logger.ts';
import { formatLogLine, type LogEntry } from './artifacts/log-line.ts';

/**
 * The log of one run: passes every line on to the application's logger and keeps all but the debug lines for the log file
 * in the store. A run logs its phases and its problems, not its objects, so that what is kept stays small.
 */
export class RunLog implements Logger {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #fields: LogFields;
  readonly #lines: string[] = [];

  /** The fields stand in every line: `{backup: 'velero/shop'}`. */
  constructor(logger: Logger, clock: Clock, fields: LogFields) {
    this.#logger = logger;
    this.#clock = clock;
    this.#fields = fields;
  }

  /** The lines so far, in the format of Velero's logs. */
  get text(): string {
    return this.#lines.join('');
  }

  debug(message: string, fields?: LogFields): void {
    this.#logger.debug(message, { ...this.#fields, ...fields });
  }

  info(message: string, fields?: LogFields): void {
    this.#logger.info(message, this.#keep('info', message, fields));
  }

  warn(message: string, fields?: LogFields): void {
    this.#logger.warn(message, this.#keep('warning', message, fields));
  }

  error(message: string, fields?: LogFields): void {
    this.#logger.error(message, this.#keep('error', message, fields));
  }

  #keep(level: LogEntry['level'], message: string, fields: LogFields | undefined): LogFields {
    const all = { ...this.#fields, ...fields };
    this.#lines.push(formatLogLine({ time: this.#clock.now(), level, message, fields: all }));
    return all;
  }
}
