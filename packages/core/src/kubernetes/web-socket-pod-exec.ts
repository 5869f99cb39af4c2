import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { ClusterError } from '../errors.ts';
import { readAll } from '../internal/read-all.ts';
import { isJsonObject, type JsonValue } from '../model/json.ts';
import { describeObject } from '../model/kubernetes.ts';
import { objectsAt, stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { ExecOptions, ExecRequest, ExecResult, PodExec } from '../ports/pod-exec.ts';
import type { ApiClient } from './api-client.ts';
import { closedError, type ErrorSubject, refusalError } from './errors.ts';
import { ExecSession, execProtocols } from './exec-session.ts';
import { parseBody } from './parse-body.ts';
import {
  type Credentials,
  type CredentialsSource,
  obtainCredentials,
} from './request-credentials.ts';
import { objectPath } from './resource-path.ts';

const operation = 'PodExec.exec';
const defaultOutputBytes = 1024 * 1024;
const handshakeTimeoutMs = 30_000;
const maximumRefusalBytes = 1024 * 1024;

/** Runs commands over the API server's exec subresource, a WebSocket for each. Get one from `connectKubeConfig`. */
export class WebSocketPodExec implements PodExec {
  readonly #client: ApiClient;
  readonly #credentials: CredentialsSource;

  constructor(client: ApiClient, credentials: CredentialsSource) {
    this.#client = client;
    this.#credentials = credentials;
  }

  async exec(request: ExecRequest, options: ExecOptions = {}): Promise<ExecResult> {
    const { stdin, maximumOutputBytes = defaultOutputBytes, signal } = options;
    const subject = { operation, target: describeContainer(request) };
    signal?.throwIfAborted();
    if (this.#client.closing.aborted) {
      throw closedError(subject);
    }
    const credentials = await obtainCredentials(this.#credentials, subject);
    const session = new ExecSession(subject, { stdin, maximumOutputBytes });
    const path = execPath(request, stdin !== undefined);
    const socket = new WebSocket(
      `${this.#client.location.replace(/^http/, 'ws')}${path}`,
      [...execProtocols],
      clientOptions(credentials),
    );
    const stop =
      signal === undefined ? this.#client.closing : AbortSignal.any([signal, this.#client.closing]);
    try {
      await conversation(subject, socket, session, stop);
      return session.result();
    } catch (error) {
      throw await this.#explain(request, this.#client.failureOf(subject, error, signal), signal);
    }
  }

  /** The server calls an unknown container a bad request; only the pod tells that it is missing. */
  async #explain(
    request: ExecRequest,
    error: unknown,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    if (!(error instanceof ClusterError) || error.httpStatus !== 400) {
      return error;
    }
    const { namespace, podName, containerName } = request;
    const subject = { operation, target: describeContainer(request) };
    const path = objectPath(operation, { ...Resources.pods, namespace, name: podName });
    const pod = await this.#client.request({ ...subject, method: 'GET', path, signal });
    if (containerNames(pod).includes(containerName)) {
      return error;
    }
    return new ClusterError(
      `${operation} ${subject.target}: the pod has no such container; it has ${containerNames(pod).join(', ')}`,
      {
        code: 'NotFound',
        operation,
        target: subject.target,
        httpStatus: error.httpStatus,
        cause: error,
      },
    );
  }
}

/** Passes messages between the server and the session until the connection has ended; rejects with what ended it early. */
async function conversation(
  subject: ErrorSubject,
  socket: WebSocket,
  session: ExecSession,
  stop: AbortSignal,
): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error };
    socket.terminate();
  };
  const cut = (): void => fail(stop.reason);
  stop.addEventListener('abort', cut, { once: true });
  socket
    .on('open', () => {
      try {
        session.sendStdin(socket);
      } catch (error) {
        fail(error);
      }
    })
    .on('message', (message) => {
      if (Buffer.isBuffer(message)) {
        session.receive(message);
      }
    })
    .on('unexpected-response', (_request, response) => {
      readRefusal(subject, response).then(fail, fail);
    })
    .on('error', (error) => {
      failure ??= { error };
    })
    .on('close', () => resolve());
  if (stop.aborted) {
    cut();
  }
  await ended;
  stop.removeEventListener('abort', cut);
  if (failure !== undefined) {
    throw failure.error;
  }
}

/** The error for an answer other than an open WebSocket. */
async function readRefusal(
  subject: ErrorSubject,
  response: IncomingMessage,
): Promise<ClusterError> {
  const text = Buffer.from(
    await readAll(response, { maximumBytes: maximumRefusalBytes }),
  ).toString();
  return refusalError(subject, { httpStatus: response.statusCode ?? 0, body: parseBody(text) });
}

function clientOptions({ headers, tls, proxyAgent }: Credentials): ClientOptions {
  return {
    ...tls,
    headers: { ...headers, 'user-agent': 'lifeboat' },
    agent: proxyAgent,
    handshakeTimeout: handshakeTimeoutMs,
    perMessageDeflate: false,
  };
}

function execPath(request: ExecRequest, hasStdin: boolean): string {
  const { namespace, podName, containerName, command } = request;
  const query = new URLSearchParams({ container: containerName, stdout: 'true', stderr: 'true' });
  if (hasStdin) {
    query.append('stdin', 'true');
  }
  for (const argument of command) {
    query.append('command', argument);
  }
  const path = objectPath(operation, { ...Resources.pods, namespace, name: podName }, 'exec');
  return `${path}?${query.toString()}`;
}

function containerNames(pod: JsonValue): readonly string[] {
  if (!isJsonObject(pod)) {
    return [];
  }
  return ['containers', 'initContainers', 'ephemeralContainers']
    .flatMap((field) => objectsAt(pod, ['spec', field]))
    .flatMap((container) => stringAt(container, ['name']) ?? []);
}

function describeContainer({ namespace, podName, containerName }: ExecRequest): string {
  return `${describeObject({ ...Resources.pods, namespace, name: podName })} container ${containerName}`;
}
