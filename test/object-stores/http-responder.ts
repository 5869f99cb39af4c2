import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the responder saw it. */
export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What the responder answers. */
export interface Response {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
}

/** A small HTTP server on 127.0.0.1, for what a server of the tests cannot do: refuse credentials, show what was asked. */
export interface HttpResponder extends AsyncDisposable {
  readonly port: number;
  readonly endpoint: string;
  /** Every request so far, the oldest first. */
  readonly requests: readonly SeenRequest[];
}

/** Starts a responder that answers every request as told. */
export async function startHttpResponder(
  respond: (request: SeenRequest) => Response,
): Promise<HttpResponder> {
  const requests: SeenRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
      requests.push(request);
      const { status, headers: answerHeaders = {}, body = '' } = respond(request);
      outgoing.writeHead(status, answerHeaders).end(method === 'HEAD' ? undefined : body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
