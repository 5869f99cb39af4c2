/**
 * The demo: `npx -y pnpm@10.34.8 demo`, with `--help` for what it can do.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Cluster,
  FileSystemObjectStore,
  type ObjectStore,
  type PodExec,
} from '@lifeboat/core';
import { bootCluster } from '../test/cluster/boot-cluster.ts';
import { type DemoCommand, type DemoTarget, parseDemoArguments, usage } from './demo/arguments.ts';
import { createFakeTarget } from './demo/fake-target.ts';
import { openKubeconfigTarget } from './demo/kubeconfig-target.ts';
import { runDemo } from './demo/run-demo.ts';

const started = performance.now();

// A reader that has seen enough (`| head`) must not keep the demo from cleaning up after itself.
process.stdout.on('error', () => undefined);
process.exitCode = await main();

async function main(): Promise<number> {
  const command = parseDemoArguments(process.argv.slice(2));
  if (command.kind === 'help') {
    console.log(usage);
    return 0;
  }
  if (command.kind === 'wrong') {
    console.error(`demo: ${command.message}\n\n${usage}`);
    return 2;
  }
  const interrupt = stopOnInterrupt();
  try {
    return (await run(command, interrupt)) ? 0 : 1;
  } catch (error) {
    if (interrupt.aborted) {
      return 130;
    }
    console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

async function run(
  { target, namespace = randomNamespace(), image, keep }: Extract<DemoCommand, { kind: 'run' }>,
  signal: AbortSignal,
): Promise<boolean> {
  await using connection = await openTarget(target, signal);
  const { cluster, podExec } = connection;
  const directory = await mkdtemp(join(tmpdir(), 'lifeboat-demo-'));
  await using store = new FileSystemObjectStore({ directory });
  const place = { cluster, podExec, store, namespace, image };
  try {
    const { sameData } = await runDemo({ ...place, keep, say, signal });
    return sameData;
  } finally {
    // A backup that could not be deleted is all that knows of its storage snapshot.
    if (await isEmpty(store)) {
      await rm(directory, { recursive: true, force: true });
    } else {
      say(`the files of the backup stay in ${directory}`);
    }
  }
}

async function isEmpty(store: ObjectStore): Promise<boolean> {
  for await (const _ of store.list('backups/')) {
    return false;
  }
  return true;
}

interface OpenTarget extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly podExec: PodExec;
}

async function openTarget(target: DemoTarget, signal: AbortSignal): Promise<OpenTarget> {
  switch (target.kind) {
    case 'fake': {
      const cluster = createFakeTarget();
      const { podExec } = cluster;
      return { cluster, podExec, [Symbol.asyncDispose]: () => cluster.close() };
    }
    case 'kubeconfig':
      return openKubeconfigTarget(target.path, target.context);
    case 'real': {
      say(
        'booting the test cluster; the first time it compiles Kubernetes, which takes some minutes',
      );
      const { kubeconfigPath } = await bootCluster(1, { node: true, onProgress: say, signal });
      say('the test cluster stays up; stop it with: npx -y pnpm@10.34.8 cluster:down');
      return openKubeconfigTarget(kubeconfigPath, undefined);
    }
    default:
      return target satisfies never;
  }
}

/** Aborts at the first Ctrl-C, so that the demo cleans up after itself; the second ends the process at once. */
function stopOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      console.error('demo: interrupted, cleaning up; interrupt again to leave at once');
      controller.abort(new Error(`interrupted by ${name}`));
      process.once(name, () => process.exit(130));
    });
  }
  return controller.signal;
}

function randomNamespace(): string {
  return `lifeboat-demo-${randomBytes(3).toString('hex')}`;
}

function say(line: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  console.log(`${seconds.padStart(7)} s  ${line}`);
}
