import { randomBytes } from 'node:crypto';
import {
  type Cluster,
  type GroupVersionResource,
  type JsonObject,
  type KubernetesManifest,
  type KubernetesObject,
  type ObjectReference,
  parseJson,
  Resources,
} from '@lifeboat/core';
import { expect, it } from 'vitest';
import { isJsonObject } from '../../packages/core/src/model/json.ts';
import { type ClusterTestContext, testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { BackupLab } from './backup-lab.ts';
import { jsonDifferences } from './json-differences.ts';

const mebibyte = 1024 * 1024;
const configMaps = Resources.configMaps;
const secrets = { group: '', version: 'v1', resource: 'secrets' };

// Half a surrogate pair is no character, so the API server does not take one.
const unicode = 'ünïcode 世界 🚢 \u2028 \u0000 <&> " \\ \u200d e\u0301';

/** What a custom resource may hold of which a program that knows nothing about it loses some easily. */
const anything = `{
  "__proto__": {"polluted": true, "__proto__": [1]},
  "constructor": {"prototype": {"x": 1}},
  "big": [9007199254740993, -9223372036854775808, 9223372036854775807, 4503599627370497.5],
  "decimals": [1.10, 0.1, 1e-7, 2.50, 100000000000000000000, 1E21],
  "unknown": {"": "empty key", "deep": {"a": [[[{"b": null}]]]}, "none": null, "no": [], "nor": {}},
  "text": ${JSON.stringify(unicode)},
  "0": "a number for a key", "10": "ten", "9": "nine"
}`;

interface Sample {
  readonly resource: GroupVersionResource;
  readonly manifest: KubernetesManifest;
}

function parsed(text: string): JsonObject {
  const value = parseJson(text);
  if (!isJsonObject(value)) {
    throw new Error('not an object');
  }
  return value;
}

function samplesOf(things: GroupVersionResource, namespace: string): readonly Sample[] {
  const longest = `${'long.'.repeat(50)}end`;
  const noise = randomBytes(mebibyte).toString('base64');
  const shipsOf4Bytes = '🚢'.repeat(mebibyte / 4);
  return [
    configMap({ name: longest, namespace }, { data: { key: longest } }),
    configMap({ name: 'big', namespace }, { data: { ships: shipsOf4Bytes } }),
    configMap(
      { name: 'keys', namespace, annotations: { constructor: unicode, note: '' } },
      parsed('{"data": {"__proto__": "p", "constructor": "c", ".data": "", "1": "one"}}'),
    ),
    {
      resource: secrets,
      manifest: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'big', namespace },
        data: { noise },
      },
    },
    {
      resource: things,
      manifest: {
        ...parsed(anything),
        apiVersion: `${things.group}/v1`,
        kind: 'Thing',
        metadata: { name: 'anything', namespace },
        spec: parsed(anything),
      },
    },
  ];
}

function configMap(metadata: KubernetesManifest['metadata'], content: JsonObject): Sample {
  const manifest = { ...content, apiVersion: 'v1', kind: 'ConfigMap', metadata };
  return { resource: configMaps, manifest };
}

/** Defines a resource that takes everything, in a group of its own. */
async function defineThings(
  cluster: Cluster,
  group: string,
  context: ClusterTestContext,
): Promise<GroupVersionResource> {
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const name = `things.${group}`;
  context.onTestFinished(async () => {
    await cluster.delete({ ...Resources.customResourceDefinitions, name });
  });
  await cluster.create(Resources.customResourceDefinitions, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  });
  return { group, version: 'v1', resource: 'things' };
}

/** What is to be the same after a restore. */
function contentOf({ metadata, ...content }: KubernetesObject): JsonObject {
  const { name, annotations = null } = metadata;
  return { ...content, name, annotations };
}

async function existing(cluster: Cluster, reference: ObjectReference): Promise<KubernetesObject> {
  const object = await cluster.get(reference);
  if (object === undefined) {
    throw new Error(`${reference.resource} ${reference.name} is missing`);
  }
  return object;
}

it('objects of every size and content survive backup and restore as equal JSON', {
  timeout: 300_000,
}, async (context) => {
  const kit = testCluster(context);
  const lab = await BackupLab.open(kit, context);
  const { cluster } = lab.connect();
  const namespace = await kit.createNamespace('trip');
  const group = `${kit.uniqueName('things')}.example.com`;
  const things = await defineThings(cluster, group, context);
  const samples = samplesOf(things, namespace);
  for (const { resource, manifest } of samples) {
    // A definition is served a moment after it was made.
    await waitFor(() => cluster.create(resource, manifest), {
      what: `${resource.resource} ${manifest.metadata.name} to be taken by the API server`,
    });
  }

  const engine = lab.engine();
  const backup = await engine.backup({ name: 'trip', spec: { includedNamespaces: [namespace] } });
  expect(backup).toMatchObject({ backup: { status: { phase: 'Completed' } }, issues: [] });
  expect(await engine.verify('trip')).toMatchObject({ issues: [] });
  const copy = `${namespace}-copy`;
  kit.deleteNamespaceAtEnd(copy);
  const restored = await engine.restore({
    spec: { backupName: 'trip', namespaceMapping: { [namespace]: copy } },
  });
  expect(restored).toMatchObject({ restore: { status: { phase: 'Completed' } }, issues: [] });

  for (const { resource, manifest } of samples) {
    const { name = '' } = manifest.metadata;
    const live = await existing(cluster, { ...resource, namespace, name });
    const groupResource = [resource.resource, resource.group].filter(Boolean).join('.');
    const stored = await engine.catalog.getObject('trip', { groupResource, namespace, name });
    expect(jsonDifferences(stored, live), `${groupResource} ${name}`).toEqual([]);
    const back = await existing(cluster, { ...resource, namespace: copy, name });
    expect(jsonDifferences(contentOf(back), contentOf(live)), `restored ${name}`).toEqual([]);
  }
  const thing = await cluster.get({ ...things, namespace, name: 'anything' });
  // The API server itself keeps what the test is about.
  expect(JSON.stringify(thing)).toMatch(/"__proto__":\{"__proto__":\[1\],"polluted":true\}/);
  expect(JSON.stringify(thing)).toContain('[9007199254740993,-9223372036854775808,');
});
