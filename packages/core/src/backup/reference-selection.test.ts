import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { resolveResource } from '../discovery/resolve-resource.ts';
import { servedResources } from '../discovery/served-resources.ts';
import type { BackupSpec } from '../model/backup.ts';
import {
  type ApiResource,
  type Discovery,
  groupResourceOf,
  type KubernetesObject,
  type StringMap,
} from '../model/kubernetes.ts';
import { createBackupFilter } from '../selection/backup-filter.ts';

/** What a cluster held before Velero 1.18 backed it up, without the objects' contents, and what was in the archive. */
interface Reference {
  readonly spec: BackupSpec;
  readonly discovery: Discovery;
  readonly objects: readonly ReferenceObject[];
  /** `<resource>.<group>/<namespace>/<name>`; with Events and other objects that came after the dump. */
  readonly stored: readonly string[];
}

interface ReferenceObject {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly labels?: StringMap;
  readonly deletionTimestamp?: string;
  readonly phase?: string;
}

describe('the selection of a backup that Velero made', () => {
  it('of one namespace is the same, but for what item actions pull along', async () => {
    const { onlyVelero, onlyOurs } = await differences('seed');
    expect(resourcesOf(onlyVelero)).toEqual([
      'persistentvolumes',
      'volumesnapshotclasses.snapshot.storage.k8s.io',
    ]);
    expect(onlyOurs).toEqual([]);
  });

  it('of many kinds is the same, but for a claim that Velero fails and a kind it did not know yet', async () => {
    const { onlyVelero, onlyOurs } = await differences('zoo');
    expect(resourcesOf(onlyVelero)).toEqual([
      'persistentvolumes',
      'priorityclasses.scheduling.k8s.io',
      'volumesnapshotclasses.snapshot.storage.k8s.io',
    ]);
    expect(onlyOurs).toEqual([
      'persistentvolumeclaims/zoo/unbound',
      // Velero looks at what is served every five minutes only.
      'widgets.lab.example.com/zoo/w1',
    ]);
  });

  it('of everything is the same, but for all cluster-scoped objects, as Velero documents', async () => {
    const { reference, onlyVelero, onlyOurs } = await differences('all');
    expect(onlyVelero).toEqual([]);
    const namespaced = new Set(
      reference.objects.filter(({ namespace }) => namespace !== undefined).map(keyOf),
    );
    expect(onlyOurs.filter((key) => namespaced.has(key))).toEqual([]);
    expect(resourcesOf(onlyOurs)).toContain('gizmos.lab.example.com');
    const clusterScoped = reference.objects.filter(
      ({ namespace, resource }) => namespace === undefined && resource !== 'volumesnapshotcontents',
    );
    const known = new Set([...onlyOurs, ...reference.stored]);
    expect(clusterScoped.map(keyOf).filter((key) => !known.has(key))).toEqual([]);
  });
});

async function differences(name: string): Promise<{
  readonly reference: Reference;
  readonly onlyVelero: readonly string[];
  readonly onlyOurs: readonly string[];
}> {
  const reference = await readReference(name);
  const ours = new Set(selected(reference));
  const dumped = new Set(reference.objects.map(keyOf));
  const stored = new Set(reference.stored);
  return {
    reference,
    onlyVelero: reference.stored.filter((key) => dumped.has(key) && !ours.has(key)),
    onlyOurs: [...ours].filter((key) => !stored.has(key)).toSorted(),
  };
}

function resourcesOf(keys: readonly string[]): readonly string[] {
  return [...new Set(keys.map((key) => key.split('/', 1)[0] ?? ''))].toSorted();
}

function selected({ spec, discovery, objects }: Reference): readonly string[] {
  const namespaces = objects.filter(({ resource }) => resource === 'namespaces');
  const filter = createBackupFilter(spec, {
    liveNamespaces: namespaces.map(({ name }) => name),
    excludedByLabel: namespaces
      .filter(({ labels }) => labels?.['velero.io/exclude-from-backup'] === 'true')
      .map(({ name }) => name),
    resolveResource: (name) => resolveResource(discovery, name),
  });
  const { resources } = servedResources(discovery, (resource) => filter.includesResource(resource));
  const listed = new Map(resources.map((resource) => [groupResourceOf(resource), resource]));
  return objects
    .filter((object) => isSelected(object, listed.get(groupResourceOf(object))))
    .map(keyOf);

  function isSelected(reference: ReferenceObject, resource: ApiResource | undefined): boolean {
    if (resource === undefined) {
      return false;
    }
    const object = objectOf(reference);
    return reference.resource === 'namespaces'
      ? filter.includesNamespaceObject(object)
      : filter.exclusionOf(resource, object) === undefined;
  }
}

function objectOf({ kind, phase, ...reference }: ReferenceObject): KubernetesObject {
  const { name, namespace, labels, deletionTimestamp } = reference;
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(labels && { labels }),
      ...(deletionTimestamp && { deletionTimestamp }),
    },
    ...(phase && { status: { phase } }),
  };
}

function keyOf(object: ReferenceObject): string {
  const { namespace, name } = object;
  return [groupResourceOf(object), ...(namespace ? [namespace] : []), name].join('/');
}

async function readReference(name: string): Promise<Reference> {
  const file = new URL(`../../../../test/vectors/selection/${name}.json.gz`, import.meta.url);
  const reference = JSON.parse(gunzipSync(await readFile(file)).toString()) as Reference;
  return { ...reference, discovery: { ...reference.discovery, failures: [] } };
}
