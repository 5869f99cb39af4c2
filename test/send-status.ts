import type { ServerResponse } from 'node:http';
import { ClusterError } from '@lifeboat/core';

const reasons: Readonly<Record<number, string>> = {
  404: 'NotFound',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** Answers with what an error says, unless an answer has begun: then the connection breaks. */
export function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
  } else if (error instanceof ClusterError) {
    sendStatus(response, error.httpStatus ?? 500, error.message, {}, error.code);
  } else {
    sendStatus(response, 500, String(error));
  }
}

/** Answers as the API server refuses: with a Status. */
export function sendStatus(
  response: ServerResponse,
  code: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  reason: string | undefined = reasons[code],
): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code };
  response.end(JSON.stringify(status));
}
