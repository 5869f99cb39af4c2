import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { isJsonArray, isJsonObject, type JsonValue, parseJson } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { archivedObject } from '../restore/stored-backup-fixture.ts';
import { fakeCsiDriverName } from '../testing/fake-cluster/csi/fake-csi-driver.ts';
import { type TarEntry, tarOf, withHeaderField } from './hostile-backup-fixture.ts';

/** What stands in the texts where the handle of a snapshot in the storage is to stand. */
export const handleInTexts = 'handle-of-the-snapshot';

const snapshotName = 'velero-data-abcde';
const snapshotLabel = { 'velero.io/volume-snapshot-name': snapshotName };
const template = {
  metadata: { labels: { app: 'web' } },
  spec: {
    serviceAccountName: 'web',
    priorityClassName: 'system-cluster-critical',
    containers: [
      {
        ...{ name: 'c', image: 'busybox', ports: [{ containerPort: 80, hostPort: 80 }] },
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      },
    ],
    initContainers: [{ name: 'i', image: 'busybox' }],
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
  },
};

/** Objects of the kinds that a restore does something about, by the folder that they lie in. */
export const objects: readonly (readonly [folder: string, object: KubernetesObject])[] = [
  ['namespaces', archivedObject('v1', 'Namespace', { name: 'shop', namespace: undefined })],
  ['configmaps', archivedObject('v1', 'ConfigMap', { name: 'a' }, { data: { a: 'b' } })],
  ['secrets', archivedObject('v1', 'Secret', { name: 'b' }, { data: { k: 'dg==' } })],
  [
    'serviceaccounts',
    archivedObject('v1', 'ServiceAccount', { name: 'web' }, { secrets: [{ name: 'b' }] }),
  ],
  [
    'services',
    archivedObject(
      'v1',
      'Service',
      { name: 'web' },
      { spec: { clusterIP: '10.0.0.9', ports: [{ name: 'p', port: 80, nodePort: 30_080 }] } },
    ),
  ],
  ['pods', archivedObject('v1', 'Pod', { name: 'web-0' }, { spec: template.spec })],
  [
    'deployments.apps',
    archivedObject(
      'apps/v1',
      'Deployment',
      { name: 'web' },
      { spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template } },
    ),
  ],
  [
    'jobs.batch',
    archivedObject(
      'batch/v1',
      'Job',
      { name: 'once' },
      { spec: { template: { ...template, metadata: { labels: { 'controller-uid': 'u' } } } } },
    ),
  ],
  [
    'clusterrolebindings.rbac.authorization.k8s.io',
    archivedObject(
      'rbac.authorization.k8s.io/v1',
      'ClusterRoleBinding',
      { name: 'web', namespace: undefined },
      {
        subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: 'shop' }],
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      },
    ),
  ],
  [
    'persistentvolumes',
    archivedObject(
      'v1',
      'PersistentVolume',
      { name: 'pv-data', namespace: undefined },
      {
        spec: {
          persistentVolumeReclaimPolicy: 'Retain',
          accessModes: ['ReadWriteOnce'],
          capacity: { storage: '10Mi' },
          csi: { driver: fakeCsiDriverName, volumeHandle: 'v' },
          claimRef: { namespace: 'shop', name: 'data', uid: 'old' },
        },
      },
    ),
  ],
  [
    'persistentvolumeclaims',
    archivedObject(
      'v1',
      'PersistentVolumeClaim',
      { name: 'data', labels: snapshotLabel, annotations: snapshotLabel },
      {
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '10Mi' } },
          ...{ storageClassName: 'fake-csi', volumeName: 'pv-data' },
        },
        status: { phase: 'Bound' },
      },
    ),
  ],
  [
    'volumesnapshots.snapshot.storage.k8s.io',
    archivedObject(
      'snapshot.storage.k8s.io/v1',
      'VolumeSnapshot',
      {
        name: snapshotName,
        annotations: { 'velero.io/csi-volumesnapshot-restore-size': '30Mi' },
      },
      {
        spec: { source: { persistentVolumeClaimName: 'data' } },
        status: { boundVolumeSnapshotContentName: 'content-data', readyToUse: true },
      },
    ),
  ],
  [
    'volumesnapshotcontents.snapshot.storage.k8s.io',
    archivedObject(
      'snapshot.storage.k8s.io/v1',
      'VolumeSnapshotContent',
      { name: 'content-data', namespace: undefined },
      {
        spec: {
          ...{ driver: fakeCsiDriverName, deletionPolicy: 'Delete' },
          ...{ sourceVolumeMode: 'Filesystem' },
        },
        status: { snapshotHandle: handleInTexts, readyToUse: true, restoreSize: 31_457_280 },
      },
    ),
  ],
];

function entryOf([folder, { metadata }]: (typeof objects)[number], text: string): TarEntry {
  const { namespace, name } = metadata;
  const scope = namespace === undefined ? 'cluster' : `namespaces/${namespace}`;
  return { name: `resources/${folder}/${scope}/${name}.json`, body: text };
}

/** Entries of an archive of the objects, the text of some replaced. */
export function entriesOf(textOf: (object: KubernetesObject, index: number) => string): TarEntry[] {
  return objects.map((entry, index) => entryOf(entry, textOf(entry[1], index)));
}

/** The archive as it is without a mutation: one gzip member for each object. */
export const members: readonly Uint8Array[] = await Promise.all(
  entriesOf((object) => JSON.stringify(object)).map(async (entry, index, entries) => {
    const tar = await tarOf([entry]);
    return gzipSync(index === entries.length - 1 ? tar : tar.subarray(0, -1_024));
  }),
);

const whole = Buffer.concat(members);
const tar = gunzipSync(whole);
const headers = [...tar.toString('latin1').matchAll(/ustar\0/g)].map(({ index }) => index - 257);

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function flipped(bytes: Uint8Array, flips: readonly (readonly [number, number])[]): Buffer {
  const changed = Buffer.from(bytes);
  for (const [at, bits] of flips) {
    const offset = Math.floor(at * changed.byteLength);
    changed[offset] = (changed[offset] ?? 0) ^ bits;
  }
  return changed;
}

function spliced(bytes: Uint8Array, from: number, to: number, length: number): Buffer {
  const part = Math.floor(from * bytes.byteLength);
  const target = Math.floor(to * bytes.byteLength);
  return Buffer.concat([
    bytes.subarray(0, target),
    bytes.subarray(part, part + length),
    bytes.subarray(target),
  ]);
}

const flips = fc.array(fc.tuple(place, fc.integer({ min: 1, max: 255 })), {
  minLength: 1,
  maxLength: 4,
});
const field = fc.constantFrom<readonly [offset: number, bytes: string]>(
  [0, '../../x\0'],
  [0, '/x\0'],
  [0, '\0'],
  [0, 'resources/secrets/namespaces/kube-system/b.json\0'],
  [100, '0000000\0'],
  [124, '00000000000\0'],
  [124, '00000000001\0'],
  [124, '00000002000\0'],
  [124, '77777777777\0'],
  [124, '-0000000001\0'],
  [124, 'xxxxxxxxxxx\0'],
  [124, '\x80\0\0\0\0\0\0\0\0\0\0\0'],
  [124, '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff'],
  ...[...'12345678gxLKNSVZ\0'].map((type): [number, string] => [156, type]),
  [157, '/etc/passwd\0'],
  [257, 'ustar  \0'],
  [257, 'xxxxx\0'],
  [345, 'resources/pods\0'],
);

/** Bytes of an archive that was damaged or that somebody has put together. */
export const mutatedBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  flips.map((changes) => flipped(whole, changes)),
  place.map((at) => whole.subarray(0, Math.floor(at * whole.byteLength))),
  fc.tuple(place, place, fc.nat(2_000)).map((splice) => spliced(whole, ...splice)),
  flips.map((changes) => gzipSync(flipped(tar, changes))),
  fc.tuple(place, place, fc.nat(2_000)).map((splice) => gzipSync(spliced(tar, ...splice))),
  place.map((at) => gzipSync(tar.subarray(0, Math.floor((at * tar.byteLength) / 512) * 512))),
  fc
    .array(fc.nat(members.length - 1), { maxLength: 2 * members.length })
    .map((order) => Buffer.concat(order.flatMap((index) => members[index] ?? []))),
  fc
    .array(fc.tuple(fc.constantFrom(...headers), field), { minLength: 1, maxLength: 3 })
    .map((changes) =>
      gzipSync(
        changes.reduce(
          (bytes: Uint8Array, [at, [offset, text]]) =>
            withHeaderField(bytes, offset, Buffer.from(text, 'latin1'), at),
          tar,
        ),
      ),
    ),
);

/** What a value is replaced with, as JSON. */
const replacement = fc.constantFrom(
  ...['null', 'true', '0', '-1', '1e400', '9007199254740993', '""', '"x"', '"__proto__"'],
  ...['"2026-13-99T99:99:99Z"', '"\\u0000"', '[]', '{}', '[null]', '[[]]', '[{}]', '["x"]'],
  ...['{"x":null}', '{"__proto__":null}', '{"name":null}', '{"name":{}}', '{"storage":"-1e9Ei"}'],
  '['.repeat(600) + ']'.repeat(600),
);

const marker = '\u0001replaced\u0001';

/** Texts of all objects, in some of which values are others or gone. */
export const mutatedTexts: fc.Arbitrary<readonly string[]> = fc
  .array(fc.tuple(fc.nat(objects.length - 1), place, fc.option(replacement)), {
    minLength: 1,
    maxLength: 6,
  })
  .map((changes) => {
    const texts = objects.map(([, object]) => JSON.stringify(object));
    for (const [index, at, text] of changes) {
      const value = parseJson(texts[index] ?? '{}');
      const paths = pathsIn(value);
      const path = paths[Math.floor(at * paths.length)] ?? [];
      const mutated = JSON.stringify(changedAt(value, path, text === null ? undefined : marker));
      texts[index] = mutated.replace(JSON.stringify(marker), () => text ?? '');
    }
    return texts;
  });

type Path = readonly (string | number)[];

function pathsIn(value: JsonValue): Path[] {
  if (isJsonArray(value)) {
    return value.flatMap((member, index) => below(index, member));
  }
  return isJsonObject(value)
    ? Object.entries(value).flatMap(([key, member = null]) => below(key, member))
    : [];
}

function below(step: string | number, value: JsonValue): Path[] {
  return [[step], ...pathsIn(value).map((path) => [step, ...path])];
}

function changedAt(
  value: JsonValue,
  [step, ...rest]: Path,
  replaced: string | undefined,
): JsonValue | undefined {
  if (step === undefined) {
    return replaced;
  }
  if (typeof step === 'number') {
    return isJsonArray(value)
      ? value.flatMap((member, index) =>
          index === step ? (changedAt(member, rest, replaced) ?? []) : [member],
        )
      : value;
  }
  return isJsonObject(value)
    ? { ...value, [step]: changedAt(value[step] ?? null, rest, replaced) }
    : value;
}
