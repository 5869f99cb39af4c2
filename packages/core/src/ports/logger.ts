/** Fields of a log line: names, sizes, counts. Never an object's content. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Takes log lines: a constant message and fields. `console` is one; a structured logger needs a two-line adapter.
 * `debug` per request, `info` per phase, `warn` for what a person should see, `error` never for something also thrown.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
