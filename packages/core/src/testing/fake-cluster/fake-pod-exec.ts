import { ClusterError } from '../../errors.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import { objectsAt, stringAt } from '../../model/object-path.ts';
import type { ExecOptions, ExecRequest, ExecResult, PodExec } from '../../ports/pod-exec.ts';
import { type ApiCall, notFoundError } from './api-errors.ts';

/** What a command in a fake pod is given besides its request. */
export interface ExecInput {
  readonly stdin: Uint8Array;
  readonly signal: AbortSignal | undefined;
}

/** How a command in a fake pod ends. Text is encoded as UTF-8. */
export interface ExecOutcome {
  /** @default 0 */
  readonly exitCode?: number | undefined;
  /** @default '' */
  readonly stdout?: string | Uint8Array | undefined;
  /** @default '' */
  readonly stderr?: string | Uint8Array | undefined;
}

/** Plays the commands that are run in the pods of a FakeCluster; what it throws rejects the call. */
export type ExecHandler = (
  request: ExecRequest,
  input: ExecInput,
) => ExecOutcome | Promise<ExecOutcome>;

const defaultMaximumOutputBytes = 1_048_576;

/** What a {@link FakePodExec} needs of its connection. */
export interface FakePodExecHost {
  readonly handler: () => ExecHandler;
  readonly findPod: (request: ExecRequest) => KubernetesObject | undefined;
  readonly send: (request: ExecRequest, signal: AbortSignal | undefined) => Promise<ApiCall>;
}

/** Commands in pods that run nowhere: a handler says how each ends. */
export class FakePodExec implements PodExec {
  readonly #host: FakePodExecHost;

  constructor(host: FakePodExecHost) {
    this.#host = host;
  }

  async exec(request: ExecRequest, options: ExecOptions = {}): Promise<ExecResult> {
    const {
      stdin = new Uint8Array(),
      signal,
      maximumOutputBytes = defaultMaximumOutputBytes,
    } = options;
    const call = await this.#host.send(request, signal);
    assertRunning(this.#host.findPod(request), request, call);
    const outcome = await unlessAborted(this.#host.handler()(request, { stdin, signal }), signal);
    const stdout = bytesOf(outcome.stdout);
    const stderr = bytesOf(outcome.stderr);
    return {
      exitCode: outcome.exitCode ?? 0,
      stdout: stdout.subarray(0, maximumOutputBytes),
      stderr: stderr.subarray(0, maximumOutputBytes),
      truncated: Math.max(stdout.length, stderr.length) > maximumOutputBytes,
    };
  }
}

/** As a real connection, which is cut whatever the command does. */
async function unlessAborted<T>(
  outcome: T | Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  signal?.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    aborted.reject(signal?.reason);
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([outcome, aborted.promise]);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function assertRunning(
  pod: KubernetesObject | undefined,
  request: ExecRequest,
  call: ApiCall,
): void {
  if (pod === undefined) {
    throw notFoundError(call, 'the pod does not exist');
  }
  const containers = objectsAt(pod, ['spec', 'containers']).map((container) => container['name']);
  if (!containers.includes(request.containerName)) {
    throw notFoundError(call, `the pod has no container ${JSON.stringify(request.containerName)}`);
  }
  const phase = stringAt(pod, ['status', 'phase']);
  if (phase !== 'Running') {
    throw new ClusterError(
      `${call.operation} ${call.target}: the pod is ${String(phase)}, not Running`,
      {
        code: 'Unknown',
        ...call,
        httpStatus: 400,
        reason: 'BadRequest',
      },
    );
  }
}

function bytesOf(output: string | Uint8Array = ''): Uint8Array {
  return typeof output === 'string' ? Buffer.from(output) : output;
}
