import type { WebSocket } from 'ws';
import { ClusterError } from '../errors.ts';
import type { ExecResult } from '../ports/pod-exec.ts';
import { BoundedOutput } from './bounded-output.ts';
import type { ErrorSubject } from './errors.ts';
import { exitCodeOf } from './exec-status.ts';

/** The protocol whose stdin can be closed (Kubernetes 1.30), and the one before it. */
export const execProtocols: readonly string[] = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

// Each message begins with the number of its channel.
const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;
const stdinChunkBytes = 32 * 1024;

/** Options of {@link ExecSession}. */
export interface ExecSessionOptions {
  readonly stdin: Uint8Array | undefined;
  readonly maximumOutputBytes: number;
}

/** The messages of one command over an open WebSocket. */
export class ExecSession {
  readonly #subject: ErrorSubject;
  readonly #stdout: BoundedOutput;
  readonly #stderr: BoundedOutput;
  readonly #stdin: Uint8Array | undefined;
  #status: string | undefined;

  constructor(subject: ErrorSubject, { stdin, maximumOutputBytes }: ExecSessionOptions) {
    this.#subject = subject;
    this.#stdin = stdin;
    this.#stdout = new BoundedOutput(maximumOutputBytes);
    this.#stderr = new BoundedOutput(maximumOutputBytes);
  }

  /**
   * Sends what the command reads, and closes its stdin.
   *
   * @throws {ClusterError} code Unsupported when the server cannot close it: the command would wait for ever.
   */
  sendStdin(socket: WebSocket): void {
    const stdin = this.#stdin;
    if (stdin === undefined) {
      return;
    }
    if (socket.protocol !== execProtocols[0]) {
      const { operation, target } = this.#subject;
      throw new ClusterError(
        `${operation} ${target}: the API server is too old to close a command's stdin (${socket.protocol}); run the command without stdin, or with Kubernetes 1.30 or newer`,
        { code: 'Unsupported', operation, target },
      );
    }
    for (let start = 0; start < stdin.byteLength; start += stdinChunkBytes) {
      socket.send(
        Buffer.concat([Buffer.of(channels.stdin), stdin.subarray(start, start + stdinChunkBytes)]),
      );
    }
    socket.send(Buffer.of(channels.close, channels.stdin));
  }

  /** Takes a message of the server. */
  receive(message: Uint8Array): void {
    const content = message.subarray(1);
    switch (message[0]) {
      case channels.stdout:
        this.#stdout.append(content);
        break;
      case channels.stderr:
        this.#stderr.append(content);
        break;
      case channels.status:
        this.#status = `${this.#status ?? ''}${Buffer.from(content).toString()}`;
        break;
      default:
    }
  }

  /**
   * The result, once the connection has ended.
   *
   * @throws {ClusterError} code Unavailable when it ended before the command, Unknown when the command could not be run.
   */
  result(): ExecResult {
    if (this.#status === undefined) {
      const { operation, target } = this.#subject;
      throw new ClusterError(
        `${operation} ${target}: the connection ended before the command did; the command may still run`,
        { code: 'Unavailable', operation, target },
      );
    }
    return {
      exitCode: exitCodeOf(this.#subject, this.#status),
      stdout: this.#stdout.bytes(),
      stderr: this.#stderr.bytes(),
      truncated: this.#stdout.truncated || this.#stderr.truncated,
    };
  }
}
