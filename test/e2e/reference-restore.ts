import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  type Cluster,
  type GroupVersionResource,
  type JsonObject,
  type JsonValue,
  type KubernetesObject,
  type ObjectStore,
  parseJson,
  type RestoreSpec,
} from '@lifeboat/core';
import { readAll } from '../../packages/core/src/internal/read-all.ts';
import { isJsonObject } from '../../packages/core/src/model/json.ts';
import { parseApiVersion } from '../../packages/core/src/model/kubernetes.ts';
import { stringAt } from '../../packages/core/src/model/object-path.ts';
import type { ArchiveEntry } from './backup-directory.ts';
import type { FoundDifference } from './explained-differences.ts';
import { jsonDifferences } from './json-differences.ts';
import { type NeutralEntry, neutralEntries } from './neutral-directory.ts';
import { neutralJson, neutralText } from './neutral-json.ts';

/** What a restore did, in terms in which those of two clusters can be compared. */
export interface NeutralRestore {
  /** Path as in an archive → the object as it stood in the cluster afterwards. */
  readonly objects: ReadonlyMap<string, NeutralEntry>;
  /** Type → object → what became of it: the resource list of the restore. */
  readonly outcomes: JsonObject;
  readonly status: JsonObject;
}

/** A restore of Velero. */
export interface ReferenceRestore extends NeutralRestore {
  readonly spec: RestoreSpec;
  readonly folder: string;
  /** The resources of the objects: `deployments.apps` → where the API has them. */
  readonly resources: ReadonlyMap<string, GroupVersionResource>;
}

/** Reads a restore of test/vectors/restores. */
export async function readReferenceRestore(name: string): Promise<ReferenceRestore> {
  const folder = join(import.meta.dirname, '../vectors/restores', name);
  const json = async (file: string): Promise<JsonObject> => {
    const bytes = await readFile(join(folder, file));
    return parsedObject((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString());
  };
  const objects = Object.entries(await json('objects.json.gz'));
  const { spec = null, status = null } = await json('restore.json');
  const results = gunzipSync(await readFile(join(folder, 'results.gz'))).toString();
  const resources = objects.map(([path, object = null]) => {
    const [, groupResource = ''] = path.split('/');
    const [resource = ''] = groupResource.split('.');
    const apiVersion = isJsonObject(object) ? stringAt(object, ['apiVersion']) : undefined;
    return [groupResource, { ...parseApiVersion(apiVersion ?? ''), resource }] as const;
  });
  return {
    folder,
    spec: spec as RestoreSpec,
    resources: new Map(resources),
    objects: neutralEntries(
      objects.map(([path, object = null]) => entryOf(path, JSON.stringify(object))),
      {},
    ),
    outcomes: outcomesIn(await json('resource-list.json.gz'), existingIn(results)),
    status: parsedObject(JSON.stringify(status)),
  };
}

/** What a restore of ours is read from. */
export interface LiveRestore {
  readonly cluster: Cluster;
  readonly store: ObjectStore;
  readonly name: string;
  /** Gives text the names of the reference. */
  readonly rename: (text: string) => string;
  readonly status: JsonObject;
  /** The namespaces that were restored to. */
  readonly namespaces: readonly string[];
  /** The reference: its resources are read, with what it has of them in no namespace. */
  readonly reference: Pick<ReferenceRestore, 'resources' | 'objects'>;
}

/** Reads what a restore of ours did, and what stands in the cluster now. */
export async function readLiveRestore(restore: LiveRestore): Promise<NeutralRestore> {
  const { cluster, store, rename, name, namespaces, reference, status } = restore;
  const entries: ArchiveEntry[] = [];
  for (const [groupResource, resource] of reference.resources) {
    for await (const object of cluster.list(resource)) {
      const { namespace } = object.metadata;
      const place = namespace === undefined ? 'cluster' : `namespaces/${namespace}`;
      const path = `resources/${groupResource}/${place}/${object.metadata.name}.json`;
      // A volume goes by its claim: the names of those that are made are all alike.
      const isShared =
        place === 'cluster' &&
        groupResource !== 'persistentvolumes' &&
        reference.objects.has(neutralText(rename(path)));
      if (isShared || isOf(object, namespaces)) {
        entries.push(entryOf(path, JSON.stringify(object)));
      }
    }
  }
  const key = `restores/${name}/restore-${name}-resource-list.json.gz`;
  const bytes = await readAll(await store.get(key), { maximumBytes: 1_000_000, target: key });
  return {
    objects: neutralEntries(entries, { rename }),
    outcomes: outcomesIn(parsedObject(rename(gunzipSync(bytes).toString()))),
    status,
  };
}

/** Lists where two restores differ. `file` is `objects` for which there are, the path of an object, `outcomes`, or `status`. */
export function compareRestores(
  ours: NeutralRestore,
  reference: NeutralRestore,
): readonly FoundDifference[] {
  const compare = (file: string, see: (restore: NeutralRestore) => JsonValue | undefined) =>
    jsonDifferences(see(ours), see(reference)).map((difference) => ({ file, ...difference }));
  const common = [...reference.objects.keys()].filter((path) => ours.objects.has(path));
  return [
    ...compare('objects', ({ objects }) =>
      Object.fromEntries([...objects.keys()].map((path) => [path, true])),
    ),
    ...common.flatMap((path) => compare(path, ({ objects }) => objects.get(path)?.content)),
    ...compare('outcomes', ({ outcomes }) => outcomes),
    ...compare('status', ({ status }) => {
      const { phase = null, errors = 0, warnings = 0, hookStatus = {} } = status;
      return { phase, errors, warnings, hookStatus };
    }),
  ];
}

/** Whether an object is in one of the namespaces, is one itself, or is the volume of a claim in one. */
function isOf({ metadata, ...object }: KubernetesObject, namespaces: readonly string[]): boolean {
  const claimed = stringAt(object, ['spec', 'claimRef', 'namespace']);
  return namespaces.includes(metadata.namespace ?? claimed ?? metadata.name);
}

/** What Velero found in its place, as `<kind> <name>`. */
function existingIn(results: string): ReadonlySet<string> {
  const found = results.matchAll(/could not restore, (?<kind>\w+):(?<name>\S+) already exists/g);
  return new Set(
    [...found].map(({ groups }) => `${groups?.['kind']} ${neutralText(groups?.['name'] ?? '')}`),
  );
}

/** `["zoo/web(created)"]` by type → `{"zoo/web": "created"}` by type. What exists has failed for Velero; here it is skipped. */
function outcomesIn(list: JsonObject, existing: ReadonlySet<string> = new Set()): JsonObject {
  const neutral = neutralJson(list);
  return Object.fromEntries(
    Object.entries(isJsonObject(neutral) ? neutral : {}).map(([type, items]) => {
      const kind = type.split('/').at(-1) ?? '';
      const outcomes = (items as readonly string[]).map((item) => {
        const [, object = item, outcome = ''] = /^(.*)\((.*)\)$/.exec(item) ?? [];
        const exists = existing.has(`${kind} ${object.split('/').at(-1)}`);
        return [object, outcome === 'failed' && exists ? 'skipped' : outcome] as const;
      });
      return [type, Object.fromEntries(outcomes)];
    }),
  );
}

function entryOf(path: string, text: string): ArchiveEntry {
  return { path, header: {}, text };
}

function parsedObject(text: string): JsonObject {
  const value = parseJson(text);
  if (!isJsonObject(value)) {
    throw new Error('not a JSON object');
  }
  return value;
}
