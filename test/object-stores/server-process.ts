import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { listens } from './listens.ts';

/** A server that was started here and listens. */
export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

const attempts = 3;
const readyWithinMs = 60_000;
const stopWithinMs = 10_000;

// Ends the server when standard input closes: also when the run that started it is killed. The first line of standard output is
// the server's process id, by which alone it is ended; what the server says goes to standard error.
const supervisor = `
exec 3<&0
"$@" 3<&- 1>&2 &
server=$!
echo "$server"
(read -r _ <&3; kill "$server" 2>/dev/null) >/dev/null 2>&1 &
wait "$server"`;

/**
 * Starts a server on a free port of 127.0.0.1 and waits until it listens itself. Another process may take the port first: then it
 * is tried with another one.
 */
export async function startServer(
  commandFor: (port: number) => ServerCommand,
): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return await start(commandFor(port), port);
    } catch (error) {
      if (attempt === attempts) throw error;
    }
  }
}

async function start(
  { name, command, args, environment = {} }: ServerCommand,
  port: number,
): Promise<ServerProcess> {
  const child = spawn('sh', ['-c', supervisor, 'sh', command, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    if (said.length > 20) said.shift();
  });
  const pid = Number(await firstLineOf(child));
  try {
    await untilListening(port, pid, () => child.exitCode !== null);
  } catch (error) {
    await stop(child, pid);
    throw new Error(`${name} does not listen on port ${port}:\n${said.join('\n')}`, {
      cause: error,
    });
  }
  return { port, pid, [Symbol.asyncDispose]: () => stop(child, pid) };
}

async function firstLineOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the server has no standard output');
  for await (const line of createInterface({ input: child.stdout })) {
    return line;
  }
  throw new Error('the server could not be started');
}

async function stop(child: ChildProcess, pid: number): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.stdin?.end();
  const timer = setTimeout(() => process.kill(pid, 'SIGKILL'), stopWithinMs);
  await exited;
  clearTimeout(timer);
}

async function untilListening(port: number, pid: number, hasExited: () => boolean): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (performance.now() < deadline && !hasExited()) {
    if ((await isListening(port)) && (await listens(pid, port))) return;
    await sleep(20);
  }
  throw new Error(hasExited() ? 'it has exited' : `not ready within ${readyWithinMs} ms`);
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}
