import type { IncomingMessage } from 'node:http';
import type { HttpResponse } from './http-request.ts';

/** An answer of the service that is no success. Its message is the service's own. */
export class GcsResponseError extends Error {
  readonly status: number;
  /** The service's name for the reason: `notFound`, `forbidden`, `retentionPolicyNotMet`. */
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    details: {
      readonly status: number;
      readonly reason?: string | undefined;
      readonly retryAfterMs?: number | undefined;
    },
  ) {
    super(message);
    this.status = details.status;
    this.reason = details.reason;
    this.retryAfterMs = details.retryAfterMs;
  }

  static {
    Object.defineProperty(this.prototype, 'name', { value: 'GcsResponseError' });
  }
}

const longestBodyBytes = 64 * 1024;
const longestMessage = 300;

/** Reads what the service says about a failure. A body that is no error document of the service is left out. */
export async function responseErrorOf({
  status,
  headers,
  body,
}: HttpResponse): Promise<GcsResponseError> {
  const { message, reason } = parseErrorDocument(await readStart(body));
  return new GcsResponseError(
    `HTTP ${status}${reason === undefined ? '' : ` ${reason}`}${message === undefined ? '' : `: ${message}`}`,
    { status, reason, retryAfterMs: retryAfterMsOf(headers['retry-after']) },
  );
}

async function readStart(body: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      length += chunk.byteLength;
      if (length > longestBodyBytes) {
        break;
      }
    }
  } catch {
    // The status alone says enough.
  }
  return Buffer.concat(chunks).toString();
}

function parseErrorDocument(text: string): {
  readonly message?: string | undefined;
  readonly reason?: string | undefined;
} {
  try {
    const error = memberOf(JSON.parse(text), 'error');
    const details = memberOf(error, 'errors');
    const message = memberOf(error, 'message');
    const reason = memberOf(Array.isArray(details) ? details[0] : undefined, 'reason');
    return {
      message:
        typeof message === 'string' ? message.split('\n')[0]?.slice(0, longestMessage) : undefined,
      reason: typeof reason === 'string' ? reason : undefined,
    };
  } catch {
    return {};
  }
}

/** A member of what may be an object. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

/** Seconds or a date, as RFC 9110 has it. */
function retryAfterMsOf(header: string | undefined): number | undefined {
  if (header === undefined) {
    return undefined;
  }
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1_000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
