import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BackupStorageLocationSpec } from '@lifeboat/core';
import type { ClusterDescription } from '../cluster/boot-cluster.ts';
import { kubectl } from '../cluster/kubectl.ts';
import { acquireLock, isRunning } from '../object-stores/cached-folder.ts';
import { veleroLabel, veleroManifests } from './velero-manifests.ts';

/** What stands in a cluster for one Velero. */
export interface VeleroInstallation {
  readonly cluster: ClusterDescription;
  /** The command whose custom resources are meant. */
  readonly commandPath: string;
  /** A namespace of its own. */
  readonly namespace: string;
}

/**
 * Makes the definitions that Velero brings along, a namespace and a storage location. Several may be installed side by side: they
 * share the definitions.
 */
export async function installVelero(
  { cluster, commandPath, namespace }: VeleroInstallation,
  location: BackupStorageLocationSpec,
): Promise<void> {
  await using _lock = await lock(cluster);
  await removeAbandoned(cluster);
  const [manifest, ...others] = veleroManifests(namespace, location);
  await kubectl(cluster, ['create', '--filename=-'], { input: JSON.stringify(manifest) });
  const install = ['install', '--crds-only', '--dry-run', '--output=yaml'];
  const { stdout: definitions } = await promisify(execFile)(commandPath, install, {
    maxBuffer: 64 * 1024 * 1024,
  });
  const apply = ['apply', '--server-side', '--force-conflicts', '--filename=-'];
  await kubectl(cluster, apply, { input: definitions });
  const established = ['wait', ...definitionsOfVelero, '--for=condition=Established'];
  await kubectl(cluster, [...established, '--timeout=120s']);
  const list = { apiVersion: 'v1', kind: 'List', items: others };
  await kubectl(cluster, ['create', '--filename=-'], { input: JSON.stringify(list) });
}

/** Removes the namespace, and the definitions if no other Velero needs them: what lists all of a cluster is to find it as it was. */
export async function uninstallVelero({ cluster, namespace }: VeleroInstallation): Promise<void> {
  await using _lock = await lock(cluster);
  await removeNamespace(cluster, namespace);
  if ((await namespacesOfVelero(cluster)).size === 0) {
    await kubectl(cluster, ['delete', ...definitionsOfVelero, ...gone]);
  }
}

const gone = ['--ignore-not-found', '--timeout=240s'] as const;
const definitionsOfVelero = ['customresourcedefinitions', '--selector=component=velero'] as const;

function lock({ runPath }: ClusterDescription): Promise<AsyncDisposable> {
  return acquireLock(join(runPath, 'velero.lock'), () => undefined);
}

/** Removes what runs have left that were killed. */
async function removeAbandoned(cluster: ClusterDescription): Promise<void> {
  for (const [namespace, pid] of await namespacesOfVelero(cluster)) {
    if (!isRunning(pid)) await removeNamespace(cluster, namespace);
  }
}

/** The namespaces with a Velero, and the processes that they are of. */
async function namespacesOfVelero(
  cluster: ClusterDescription,
): Promise<ReadonlyMap<string, number>> {
  const label = veleroLabel.replaceAll('.', '\\.');
  const columns = `{range .items[*]}{.metadata.name} {.metadata.labels.${label}}{"\\n"}{end}`;
  const select = ['namespaces', `--selector=${veleroLabel}`, `--output=jsonpath=${columns}`];
  const lines = (await kubectl(cluster, ['get', ...select])).split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [name = '', pid] = line.split(' ');
      return name === '' ? [] : [[name, Number(pid)] as const];
    }),
  );
}

async function removeNamespace(cluster: ClusterDescription, namespace: string): Promise<void> {
  const target = `--namespace=${namespace}`;
  // They wait for a Velero that does not run any more; where there is no such definition there are none.
  const list = ['get', 'restores.velero.io', target, '--output=name'];
  const found = await kubectl(cluster, list).catch(() => '');
  for (const restore of found.split('\n').filter((line) => line !== '')) {
    const patch = '--patch={"metadata":{"finalizers":null}}';
    await kubectl(cluster, ['patch', restore, target, '--type=merge', patch]);
  }
  await kubectl(cluster, ['delete', 'namespace', namespace, ...gone]);
}
