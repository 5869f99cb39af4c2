import { randomInt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type JsonObject, parseJson } from '@lifeboat/core';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { type BackupLab, testDriver } from './backup-lab.ts';
import { boundVolumeHandle } from './volume-scene.ts';

/** A file on the volumes whose snapshots stand for those of the reference; it holds the name of the claim. */
export const markFile = 'mark';

/** The claims of the namespace `zoo` that have snapshots. */
export const filledClaims: readonly string[] = ['data-db-0', 'data-db-1', 'data-dirvol'];

/** What {@link standIns} goes by. */
export interface StandInOptions {
  /** The namespace that stands for the one of the reference. */
  readonly namespace: string;
  /** The claims that have snapshots in the reference. Those of a StatefulSet are made. */
  readonly claims: readonly string[];
  /** Whether it has the Services of `zoo`. */
  readonly hasServices: boolean;
  /** Path of the volume information of the reference. */
  readonly volumeInfo: string;
  readonly node: string;
}

/** What a backup of the reference names and no other cluster has → what stands for it here: drivers, a node, ports, snapshots. */
export async function standIns(
  lab: BackupLab,
  options: StandInOptions,
): Promise<ReadonlyMap<string, string>> {
  const { namespace, hasServices, node } = options;
  return new Map([
    ['hostpath.csi.k8s.io', testDriver],
    ['dirvol.csi.lab', testDriver],
    ['node3', node],
    ...(hasServices ? await ports(lab.kit, namespace) : []),
    ...(await snapshotHandles(lab, options)),
  ]);
}

/** Ports of the reference → ports that stand for them here. */
async function ports(kit: TestCluster, namespace: string): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['30080', await nodePortOf(kit, namespace)],
    ...(await reservePorts(kit, namespace)),
  ]);
}

/** What the Service `np` got in the place of the port that the reference asked for. */
function nodePortOf(kit: TestCluster, namespace: string): Promise<string> {
  const path = '{.spec.ports[0].nodePort}';
  return kit.kubectl([
    'get',
    'service/np',
    `--namespace=${namespace}`,
    `--output=jsonpath=${path}`,
  ]);
}

/**
 * Ports of the Service `lb` of the reference → ports of a Service here that nobody else has. They are of the range from which the API
 * server gives none that were not asked for, so that they stay free once that Service is gone.
 */
async function reservePorts(
  kit: TestCluster,
  namespace: string,
): Promise<ReadonlyMap<string, string>> {
  const reserved = await waitFor(
    async () => {
      const [nodePort, healthCheckNodePort] = [
        randomInt(30_000, 30_086),
        randomInt(30_000, 30_086),
      ];
      const service = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'reserved', namespace },
        spec: {
          type: 'LoadBalancer',
          externalTrafficPolicy: 'Local',
          ports: [{ port: 80, nodePort }],
          healthCheckNodePort,
        },
      };
      await kit.kubectl(['create', '--filename=-'], { input: JSON.stringify(service) });
      return [nodePort, healthCheckNodePort].map(String);
    },
    { what: 'two ports that nobody has' },
  );
  return new Map(['32542', '32127'].map((port, index) => [port, reserved[index] ?? port]));
}

/** Handles of the snapshots of a reference → handles of snapshots that there are, of claims of the same sizes. */
async function snapshotHandles(
  lab: BackupLab,
  { namespace, claims, volumeInfo }: StandInOptions,
): Promise<ReadonlyMap<string, string>> {
  const { cluster } = lab.connect();
  const claim = (name: string): JsonObject => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: {
      storageClassName: 'hostpath',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '10Mi' } },
    },
  });
  const items = claims.filter((name) => name.startsWith('data-db-')).map(claim);
  if (items.length > 0) {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await lab.kit.kubectl(['apply', '--filename=-'], { input });
  }
  for (const name of claims) {
    const handle = await boundVolumeHandle(cluster, namespace, name);
    await writeFile(join(lab.kit.volumeDataPath(handle), markFile), name);
  }
  const backup = `${namespace}-snapshots`;
  const spec = { includedNamespaces: [namespace], includedResources: ['persistentvolumeclaims'] };
  await lab.engine().backup({ name: backup, spec });
  const ours = handlesIn(
    await readFile(join(lab.directory, 'backups', backup, `${backup}-volumeinfo.json.gz`)),
  );
  const theirs = handlesIn(await readFile(volumeInfo));
  return new Map(claims.map((name) => [theirs.get(name) ?? '', ours.get(name) ?? '']));
}

/** Claim → handle of its snapshot, from the volume information of a backup. */
function handlesIn(bytes: Buffer): ReadonlyMap<string, string> {
  const entries = parseJson(gunzipSync(bytes).toString()) as readonly JsonObject[];
  return new Map(
    entries.map((entry) => [
      stringAt(entry, ['pvcName']) ?? '',
      stringAt(entry, ['csiSnapshotInfo', 'snapshotHandle']) ?? '',
    ]),
  );
}
