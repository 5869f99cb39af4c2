import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Answers the request that is the `index`-th, counted from zero. */
export type Script = (response: ServerResponse, request: SeenRequest, index: number) => void;

/** An HTTP server on 127.0.0.1 for the tests of this folder: it answers as scripted and remembers what it was asked. */
export class ScriptedServer implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  /** How many connections have been opened. */
  connections = 0;
  readonly #server: Server;

  private constructor(script: Script) {
    this.#server = createServer((incoming, response) => {
      const answer = async (): Promise<void> => {
        const { method = '', url = '', headers } = incoming;
        const request = { method, url, headers, body: await text(incoming) };
        this.requests.push(request);
        script(response, request, this.requests.length - 1);
      };
      // A request whose client has gone has no one to be told.
      answer().catch(() => response.destroy());
    });
    this.#server.on('connection', () => {
      this.connections += 1;
    });
  }

  static async start(script: Script): Promise<ScriptedServer> {
    const server = new ScriptedServer(script);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Answers with JSON. */
export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Answers with a Status, as the API server refuses. */
export function answerStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  {
    headers,
    ...fields
  }: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  } = {},
): void {
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: `no: ${reason}`,
    ...fields,
  };
  answerJson(response, code, { ...status, reason, code }, headers);
}
