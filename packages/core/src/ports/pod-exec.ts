import type { CallOptions } from './object-store.ts';

/** A command to run in a container of a pod. */
export interface ExecRequest {
  readonly namespace: string;
  readonly podName: string;
  readonly containerName: string;
  /** Program and arguments; no shell is added. */
  readonly command: readonly string[];
}

/** Options of {@link PodExec.exec}. */
export interface ExecOptions extends CallOptions {
  readonly stdin?: Uint8Array | undefined;
  /** How much of stdout and of stderr is kept; the rest is read and dropped. @default 1048576 */
  readonly maximumOutputBytes?: number | undefined;
}

/** How a command ended. An exit code other than zero is a result, not an error. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** Whether output was dropped because of `maximumOutputBytes`. */
  readonly truncated: boolean;
}

/**
 * Runs commands in pods. Rejects with ClusterError: NotFound (no such pod or container), Forbidden, Unauthorized,
 * Unavailable, Unknown. Aborted: the connection is closed and the call rejects with `signal.reason`; the command may go on
 * inside the container, the Kubernetes API has no way to end it.
 */
export interface PodExec {
  exec(request: ExecRequest, options?: ExecOptions): Promise<ExecResult>;
}
