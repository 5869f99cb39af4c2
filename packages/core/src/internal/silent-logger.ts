import type { Logger } from '../ports/logger.ts';

/** A logger that drops everything: the default wherever a logger can be given. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
