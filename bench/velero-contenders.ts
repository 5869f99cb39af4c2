import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { BackupStorageLocationSpec } from '@lifeboat/core';
import type { VeleroServer } from '../test/interop/velero-server.ts';
import type { BareTask, BareWork } from './measure-bare.ts';
import type { EngineTask } from './measure-engine.ts';
import { objectResources } from './object-scene.ts';
import { readProcessTree } from './process-tree.ts';
import type { ProcessFigures } from './report-process.ts';

const sampleEveryMs = 100;

/** What one piece of work took. */
export interface Usage {
  /** From the start of the command to its end. */
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

/** What a backup is of. */
export interface Selected {
  readonly includedNamespaces: readonly string[];
  /** @default all */
  readonly includedNamespaceScopedResources?: readonly string[];
}

/** Who backs up and restores. */
export interface Contender {
  readonly name: string;
  backUp(name: string, spec: Selected): Promise<Usage>;
  restore(name: string, backup: string, mapping: Readonly<Record<string, string>>): Promise<Usage>;
}

/** Velero: its command, which waits, and what its server and the plugins of it take meanwhile. */
export function veleroContender(name: string, server: VeleroServer): Contender {
  const listed = (flag: string, values: readonly string[] | undefined): readonly string[] =>
    values === undefined ? [] : [`--${flag}=${values.join(',')}`];
  return {
    name,
    backUp: (backup, spec) =>
      measured(server, 'backup', backup, [
        ...listed('include-namespaces', spec.includedNamespaces),
        ...listed('include-namespace-scoped-resources', spec.includedNamespaceScopedResources),
      ]),
    restore: (restore, backup, mapping) => {
      const pairs = Object.entries(mapping).map(([from, to]) => `${from}:${to}`);
      const args = [`--from-backup=${backup}`, `--namespace-mappings=${pairs.join(',')}`];
      return measured(server, 'restore', restore, args);
    },
  };
}

async function measured(
  server: VeleroServer,
  what: 'backup' | 'restore',
  name: string,
  args: readonly string[],
): Promise<Usage> {
  const before = await readProcessTree(server.pid);
  const done = new AbortController();
  const peak = peakOf(server.pid, done.signal);
  const started = performance.now();
  await server.run(what, 'create', name, ...args, '--wait').finally(() => done.abort());
  const ms = performance.now() - started;
  const peakMiB = await peak;
  const after = await readProcessTree(server.pid);
  const described = await server.run(what, 'describe', name);
  if (!/^Phase: +Completed/m.test(described)) throw new Error(described);
  return { ms, peakMiB, cpuMs: after.cpuMs - before.cpuMs };
}

async function peakOf(pid: number, done: AbortSignal): Promise<number> {
  let peakMiB = 0;
  while (!done.aborted) {
    peakMiB = Math.max(peakMiB, (await readProcessTree(pid)).residentMiB);
    await sleep(sampleEveryMs, undefined, { signal: done }).catch(() => undefined);
  }
  return peakMiB;
}

/** Lifeboat: a process that does the work and ends. */
export function engineContender(
  script: string,
  scene: Pick<EngineTask, 'kubeconfigPath' | 'credentials'> & {
    readonly location: BackupStorageLocationSpec;
  },
): Contender {
  const run = (name: string, work: EngineTask['work']): Promise<Usage> =>
    runChild(script, { ...scene, name, work } satisfies EngineTask);
  return {
    name: 'Lifeboat',
    backUp: (name, spec) => run(name, { backup: { ...spec } }),
    restore: (name, backupName, namespaceMapping) =>
      run(name, { restore: { backupName, namespaceMapping } }),
  };
}

/**
 * The requests that no backup or restore can do without, by a process that sends them and ends. It keeps no backups: it restores
 * those of Lifeboat.
 */
export function bareContender(
  script: string,
  scene: Omit<BareTask, 'work'> & {
    /** Of the backups of Lifeboat. */
    readonly prefix: string;
    /** Where the driver keeps snapshots. */
    readonly storagePath: string;
  },
): Contender {
  const { prefix, storagePath, ...rest } = scene;
  const run = (work: BareWork): Promise<Usage> =>
    runChild(script, { ...rest, work } satisfies BareTask);
  return {
    name: 'bare requests',
    backUp: (name, { includedNamespaces: namespaces, includedNamespaceScopedResources: kinds }) =>
      kinds === undefined
        ? run({ type: 'snapshots', namespace: namespaces[0] ?? '', storagePath })
        : run({ type: 'backup', selection: { namespaces, resources: kinds }, key: `bare/${name}` }),
    restore: (_name, backup, mapping) =>
      run({
        type: 'restore',
        selection: { namespaces: Object.keys(mapping), resources: objectResources },
        key: `${prefix}/backups/${backup}/${backup}.tar.gz`,
        mapping,
      }),
  };
}

async function runChild(script: string, task: BareTask | EngineTask): Promise<Usage> {
  const started = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(task)]);
  const ms = performance.now() - started;
  return { ms, ...(JSON.parse(stdout) as ProcessFigures) };
}
