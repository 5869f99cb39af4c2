import { createHash, randomBytes } from 'node:crypto';
import {
  type Cluster,
  createEngine,
  type Engine,
  type Issue,
  isLifeboatError,
  type ObjectStore,
  type PodExec,
  Resources,
} from '@lifeboat/core';
import { DemoApplication } from './application.ts';
import { chooseStorage, type StorageOffer } from './choose-storage.ts';
import {
  createDemoNamespace,
  deleteDemoNamespace,
  requireFreeNamespace,
} from './demo-namespace.ts';
import { createEventPrinter, describeIssue } from './event-printer.ts';

/** What the demo works with. It closes neither the cluster nor the store. */
export interface DemoOptions {
  readonly cluster: Cluster;
  readonly podExec: PodExec;
  readonly store: ObjectStore;
  /** Created by the demo, lost, restored and, unless `keep` is set, deleted. */
  readonly namespace: string;
  /** Image of the pod: anything with `sleep`, `tee`, `cat` and `sync`. @default 'busybox:1.36' */
  readonly image?: string | undefined;
  /** Leave the restored application and the backup where they are. @default false */
  readonly keep?: boolean | undefined;
  /** Receives what happens, line by line. */
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What came out of it. */
export interface DemoResult {
  readonly backupName: string;
  readonly backupPhase: string;
  readonly restorePhase: string;
  /** Whether the restored volume holds the very bytes that were written. */
  readonly sameData: boolean;
}

const dataBytes = 256 * 1024;
const cleanUpTimeoutMs = 240_000;

/**
 * The story of a backup: an application with a volume is backed up, its namespace is lost, and it comes back with its data.
 *
 * What it made is removed in the end, also when it fails or is aborted, unless it is told to keep it.
 */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { cluster, store, namespace, image = 'busybox:1.36', keep = false, say } = options;
  const { podExec, signal = new AbortController().signal } = options;
  say(`cluster: ${cluster.location}, Kubernetes ${(await cluster.version({ signal })).gitVersion}`);
  say(`object store: ${store.location}`);
  const storage = chooseStorage(await readStorageOffer(cluster, signal));
  if ('missing' in storage) {
    throw new Error(`the cluster lacks what the demo needs: ${storage.missing.join('; ')}`);
  }
  const { storageClassName, driver } = storage;
  say(`storage: StorageClass ${storageClassName} of CSI driver ${driver}`);

  const engine = createEngine({ cluster, podExec, store });
  const backupName = `demo-${randomBytes(4).toString('hex')}`;
  await requireFreeNamespace(cluster, namespace, signal);
  let result: DemoResult;
  try {
    const place = { cluster, podExec, namespace, image, storageClassName, signal };
    const application = new DemoApplication(place);
    result = await loseAndRecover(options, { engine, application, backupName, signal });
    say('the catalog');
    for await (const backup of engine.catalog.list({ signal })) {
      const { phase, startTimestamp, expiration } = backup.status;
      say(`  ${backup.metadata.name}  ${phase}  ${startTimestamp}, expires ${expiration}`);
    }
  } catch (error) {
    say(signal.aborted ? 'stopped' : 'failed');
    await cleanUp(options, engine, backupName);
    throw error;
  }
  if (keep) {
    say(`kept: namespace ${namespace}, and backup ${backupName} in ${store.location}`);
  } else if (!(await cleanUp(options, engine, backupName))) {
    throw new Error('not everything that the demo made could be removed');
  }
  return result;
}

interface DemoRun {
  readonly engine: Engine;
  readonly application: DemoApplication;
  readonly backupName: string;
  readonly signal: AbortSignal;
}

async function loseAndRecover(
  { cluster, namespace, say }: DemoOptions,
  { engine, application, backupName, signal }: DemoRun,
): Promise<DemoResult> {
  await createDemoNamespace(cluster, namespace, signal);
  say(
    `creating an application in namespace ${namespace}: a claim of 30Mi and a pod that mounts it`,
  );
  await application.deploy();
  const data = randomBytes(dataBytes);
  await application.write(data);
  say(`wrote ${data.byteLength} bytes into its volume, sha256 ${digestOf(data)}`);

  say(`backing up as ${backupName}`);
  const onEvent = createEventPrinter(say);
  const { backup, issues } = await engine.backup(
    { name: backupName, spec: { includedNamespaces: [namespace] } },
    { signal, onEvent },
  );
  requireCompleted('backup', backup.status.phase, issues);
  say(`backup ${backup.status.phase}, ${issues.length} issues`);

  say(`disaster: namespace ${namespace} is deleted, with its pod, its claim and its volume`);
  await deleteDemoNamespace(cluster, namespace, signal);
  say('it is gone');

  say('restoring');
  const restored = await engine.restore({ spec: { backupName } }, { signal, onEvent });
  const restorePhase = restored.restore.status.phase;
  requireCompleted('restore', restorePhase, restored.issues);
  await application.waitUntilRunning();
  const found = await application.read();
  const sameData = data.equals(found);
  say(`read ${found.byteLength} bytes from its volume, sha256 ${digestOf(found)}`);
  say(sameData ? 'restored: every byte is back' : 'the data is NOT what was written');
  return { backupName, backupPhase: backup.status.phase, restorePhase, sameData };
}

function requireCompleted(run: string, phase: string, issues: readonly Issue[]): void {
  if (phase !== 'Completed') {
    throw new Error(`the ${run} ended as ${phase}: ${issues.map(describeIssue).join('; ')}`);
  }
}

async function readStorageOffer(cluster: Cluster, signal: AbortSignal): Promise<StorageOffer> {
  const storageClasses = await Array.fromAsync(cluster.list(Resources.storageClasses, { signal }));
  try {
    const classes = cluster.list(Resources.volumeSnapshotClasses, { signal });
    return { storageClasses, volumeSnapshotClasses: await Array.fromAsync(classes) };
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      return { storageClasses, volumeSnapshotClasses: undefined };
    }
    throw error;
  }
}

/**
 * Deletes the backup, which frees its storage snapshot, and the namespace, under a deadline of its own: the signal may have
 * aborted. Says what it could not remove, and whether that was nothing.
 */
async function cleanUp(
  { cluster, namespace, say }: DemoOptions,
  engine: Engine,
  backupName: string,
): Promise<boolean> {
  say('cleaning up');
  const signal = AbortSignal.timeout(cleanUpTimeoutMs);
  const steps = [
    {
      what: `backup ${backupName} and its storage snapshot`,
      remove: () => engine.deleteBackup(backupName, { signal }),
    },
    {
      what: `namespace ${namespace}`,
      remove: () => deleteDemoNamespace(cluster, namespace, signal),
    },
  ];
  let isClean = true;
  for (const { what, remove } of steps) {
    try {
      await remove();
      say(`  gone: ${what}`);
    } catch (error) {
      isClean = false;
      say(`  could NOT remove ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return isClean;
}

function digestOf(bytes: Uint8Array): string {
  return `${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}…`;
}
