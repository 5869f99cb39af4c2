import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { freezing, HookLab } from '../packages/core/src/engine/hook-lab-fixture.ts';
import { systemClock } from '../packages/core/src/internal/system-clock.ts';
import { unlessAborted } from '../packages/core/src/internal/unless-aborted.ts';
import { scriptedClient } from '../packages/core/src/kubernetes/scripted-client.ts';
import { WebSocketPodExec } from '../packages/core/src/kubernetes/web-socket-pod-exec.ts';

const mebibyte = 1024 * 1024;
const printedBytes = 100 * mebibyte;

it('a hook may print 100 MB: of its output the beginning is kept, and no more is in memory', {
  timeout: 240_000,
}, async () => {
  const chunk = Buffer.alloc(mebibyte, 'x');
  chunk[0] = stdout;
  let retained = Number.NaN;
  await using pod = await ExecServer.start({
    freeze: async (socket) => {
      const before = arrayBuffersInUse();
      for (let sent = 0; sent < printedBytes; sent += chunk.byteLength) {
        await send(socket, chunk);
      }
      await untilArrived(socket);
      retained = arrayBuffersInUse() - before;
      await succeed(socket);
    },
  });
  // However long a busy machine takes.
  const annotations = { 'pre.hook.backup.velero.io/timeout': '1h' };
  await using lab = await pod.lab({ annotations });
  const { backup, hooks } = await lab.backUp();
  expect(backup.status).toMatchObject({ phase: 'Completed', hookStatus: { hooksAttempted: 2 } });
  expect(hooks).toMatchObject([
    { stage: 'pre', outcome: 'Succeeded', exitCode: 0, truncated: true, stdout: 'x'.repeat(4096) },
    { stage: 'post', outcome: 'Succeeded', truncated: false },
  ]);
  expect(retained).toBeLessThan(printedBytes / 4);
});

it.each([
  { how: 'is never connected', connects: false },
  { how: 'connects and says nothing', connects: true },
])(
  'a hook whose command $how ends with its timeout, and the post hook runs',
  async ({ connects }) => {
    const hanging = Promise.withResolvers<void>();
    await using pod = await ExecServer.start({
      freeze: connects ? (socket) => untilArrived(socket).then(hanging.resolve) : 'no answer',
    });
    if (!connects) {
      pod.onAsk = () => hanging.resolve();
    }
    await using lab = await pod.lab({
      annotations: { 'pre.hook.backup.velero.io/timeout': '77m' },
      clock: clockWithout(77 * 60_000, hanging.promise),
    });
    const { backup, hooks, issues } = await lab.backUp();
    expect(hooks).toMatchObject([
      {
        ...{ stage: 'pre', outcome: 'Failed', stdout: '' },
        message: 'it did not end within 1h17m0s, and may still be running',
      },
      { stage: 'post', outcome: 'Succeeded' },
    ]);
    expect(pod.commands).toEqual(['freeze', 'thaw']);
    expect(backup.status.phase).toBe('PartiallyFailed');
    expect(issues).toMatchObject([{ severity: 'error', object: { name: 'db' } }]);
    // Nobody waits for the command any more: its connection is cut.
    await pod.closed('freeze');
  },
);

it('a backup that is aborted while a hook hangs does not wait for it, and runs the post hook', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  await using pod = await ExecServer.start({ freeze: () => stop.abort(reason) });
  await using lab = await pod.lab();
  await expect(lab.backUp(stop.signal)).rejects.toBe(reason);
  expect(pod.commands).toEqual(['freeze', 'thaw']);
  expect(await Array.fromAsync(lab.store.list(''))).toEqual([]);
});

const stdout = 1;
const status = 3;

/** Plays a command over the WebSocket on which it was asked for; `no answer` leaves the request alone. */
type Play = ((socket: WebSocket) => void | Promise<void>) | 'no answer';

/** The exec subresource of an API server: plays commands, those that it is told nothing of succeed at once. */
class ExecServer implements AsyncDisposable {
  /** Told when a command is asked for. */
  onAsk: () => void = () => undefined;
  /** In the order in which they were asked for. */
  readonly commands: string[] = [];
  readonly #server: WebSocketServer;
  readonly #closed = new Map<string, Promise<void>>();

  private constructor(plays: Readonly<Record<string, Play>>) {
    this.#server = new WebSocketServer({
      ...{ host: '127.0.0.1', port: 0 },
      handleProtocols: (protocols) => protocols.has('v5.channel.k8s.io') && 'v5.channel.k8s.io',
      verifyClient: ({ req }, answer) => {
        const command = commandOf(req.url);
        this.commands.push(command);
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#closed.set(command, promise);
        req.socket.on('close', () => resolve());
        if (plays[command] === 'no answer') {
          // Left to itself it would not be told that the client has gone.
          const end = (): unknown => req.socket.destroy();
          req.socket.on('error', end).on('end', end).resume();
          this.onAsk();
        } else {
          answer(true);
        }
      },
    });
    this.#server.on('connection', (socket, { url }) => {
      const play = plays[commandOf(url)] ?? succeed;
      if (play !== 'no answer') {
        // A client that goes while it is told something is not an error of this server.
        Promise.resolve(play(socket)).catch(() => socket.terminate());
      }
    });
  }

  static async start(plays: Readonly<Record<string, Play>>): Promise<ExecServer> {
    const server = new ExecServer(plays);
    await once(server.#server, 'listening');
    return server;
  }

  /** A pod `db` that is frozen and thawed over this server. */
  async lab({
    annotations = {},
    clock,
  }: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly clock?: Clock;
  } = {}): Promise<ExecLab> {
    const { port } = this.#server.address() as AddressInfo;
    const client = scriptedClient({ url: `http://127.0.0.1:${port}` });
    const podExec = new WebSocketPodExec(client, {
      forRequest: async () => ({ headers: {}, tls: {} }),
    });
    const pods = [{ name: 'db', annotations: { ...freezing, ...annotations } }];
    return new ExecLab(await HookLab.open(pods, clock ? { podExec, clock } : { podExec }));
  }

  /** Resolves when the connection on which a command was asked for is closed. */
  async closed(command: string): Promise<void> {
    await this.#closed.get(command);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#server.clients) {
      client.terminate();
    }
    this.#server.close();
    await once(this.#server, 'close');
  }
}

class ExecLab implements AsyncDisposable {
  readonly #lab: HookLab;

  constructor(lab: HookLab) {
    this.#lab = lab;
  }

  get store(): HookLab['store'] {
    return this.#lab.store;
  }

  backUp(signal?: AbortSignal): ReturnType<HookLab['engine']['backup']> {
    return this.#lab.engine.backup(
      { name: 'first', spec: { includedNamespaces: ['shop'] } },
      { signal },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lab[Symbol.asyncDispose]();
  }
}

function commandOf(url = ''): string {
  return new URL(url, 'http://server').searchParams.get('command') ?? '';
}

/** Resolves when a message has left. */
async function send(socket: WebSocket, message: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.send(message, (error) => (error ? reject(error) : resolve()));
  await promise;
}

/** Resolves when all that was sent has arrived. */
async function untilArrived(socket: WebSocket): Promise<void> {
  socket.ping();
  await once(socket, 'pong');
}

/** The clock of the machine, but for sleeps of one length: these end with what happens. */
function clockWithout(sleepMs: number, happens: Promise<void>): Clock {
  return {
    now: () => new Date(),
    sleep: (ms, signal) =>
      ms === sleepMs
        ? unlessAborted(happens, signal ?? new AbortController().signal)
        : systemClock.sleep(ms, signal),
  };
}

async function succeed(socket: WebSocket): Promise<void> {
  const success = JSON.stringify({ metadata: {}, status: 'Success' });
  await send(socket, Buffer.concat([Buffer.of(status), Buffer.from(success)]));
  socket.close();
}

/** What is left of typed arrays when nothing is that nobody holds. */
function arrayBuffersInUse(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}
