import { messageOf } from '../errors.ts';
import type { Logger } from '../ports/logger.ts';

/** Wraps an event listener so that it never throws: what it throws is logged and has no other effect. */
export function safeListener<Event extends { readonly type: string }>(
  listener: ((event: Event) => void) | undefined,
  logger: Logger,
): (event: Event) => void {
  return (event) => {
    try {
      listener?.(event);
    } catch (error) {
      logger.warn('an event listener threw', { event: event.type, error: messageOf(error) });
    }
  };
}
