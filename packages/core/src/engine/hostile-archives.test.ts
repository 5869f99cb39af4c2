import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { backupKey } from '../catalog/key-layout.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { archivedObject } from '../restore/stored-backup-fixture.ts';
import {
  backupName,
  configMap,
  configMapEntry,
  type HostileScene,
  hostileScene,
  pathOf,
  type TarEntry,
  tarOf,
  withHeaderField,
} from './hostile-backup-fixture.ts';

// Bombs are of some size, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

const mebibyte = 1024 * 1024;
const archiveKey = backupKey(backupName, 'archive');
const good = configMapEntry('good');

async function expectRefused(scene: HostileScene, message: RegExp): Promise<void> {
  await expect(scene.restore()).rejects.toMatchObject({
    name: 'LifeboatError',
    code: 'CorruptBackup',
    operation: 'read archive',
    retryable: false,
    message: expect.stringMatching(message) as string,
  });
  await scene.expectNothingWritten();
  const { intact, issues } = await scene.engine.verify(backupName);
  expect(intact).toBe(false);
  expect(issues).toContainEqual(
    expect.objectContaining({
      severity: 'error',
      reason: 'CorruptBackup',
      message: expect.stringMatching(message) as string,
    }),
  );
}

async function refuse(tar: Uint8Array, message: RegExp): Promise<void> {
  await using scene = await hostileScene(gzipSync(tar));
  await expectRefused(scene, message);
}

describe('nothing is applied of an archive with', () => {
  it.each<{ name: string; entry: TarEntry; message: RegExp }>([
    { name: 'a traversal', entry: { name: '../../x.json' }, message: /leaves the archive/ },
    {
      name: 'a traversal behind a good beginning',
      entry: { name: 'resources/configmaps/namespaces/shop/../../../../../x.json' },
      message: /leaves the archive/,
    },
    { name: 'an absolute path', entry: { name: '/etc/cron.d/x' }, message: /leaves the archive/ },
    {
      name: 'a traversal in an extended header',
      entry: { name: pathOf('x'), pax: { path: '../x.json' } },
      message: /leaves the archive/,
    },
    {
      name: 'an encoded traversal',
      entry: { name: pathOf('%2e%2e%2fx') },
      message: /cannot be that of an object/,
    },
    {
      name: 'a NUL',
      entry: { name: pathOf('x'), pax: { path: pathOf('a\0b') } },
      message: /cannot be that of an object/,
    },
    {
      name: 'a symbolic link',
      entry: { name: pathOf('x'), type: 'symlink', linkname: '/etc/passwd' },
      message: /neither a file nor a directory/,
    },
    {
      name: 'a hard link',
      entry: { name: pathOf('x'), type: 'link', linkname: pathOf('good') },
      message: /neither a file nor a directory/,
    },
    {
      name: 'a device',
      entry: { name: pathOf('x'), type: 'block-device' },
      message: /neither a file nor a directory/,
    },
    {
      name: 'a pipe',
      entry: { name: pathOf('x'), type: 'fifo' },
      message: /neither a file nor a directory/,
    },
    { name: 'an object twice', entry: good, message: /twice/ },
    {
      name: 'an object twice, spelled differently',
      entry: { ...good, name: `./${good.name}` },
      message: /twice/,
    },
    {
      name: 'a path of a megabyte, of which the message quotes little',
      entry: { name: `../${'x'.repeat(mebibyte)}` },
      message: /^.{1,600}$/,
    },
  ])('$name', async ({ entry, message }) => {
    await refuse(await tarOf([good, entry]), message);
  });

  it('a file that claims to be of 8 GiB', async () => {
    const tar = await tarOf([good, configMapEntry('huge')]);
    const at = tar.indexOf(pathOf('huge'));
    await refuse(withHeaderField(tar, 124, Buffer.from('77777777777 '), at), /larger than/);
  });

  it('more than 1,000 objects that are not what their paths say', async () => {
    const entries = Array.from({ length: 1_001 }, (_, index) => ({
      name: pathOf(`x-${index}`),
      body: '{}',
    }));
    await using scene = await hostileScene(gzipSync(await tarOf([good, ...entries])));
    await expect(scene.restore()).rejects.toMatchObject({
      code: 'CorruptBackup',
      message: expect.stringContaining('more than 1000 of its objects') as string,
    });
    await scene.expectNothingWritten();
    const { issues, objects } = await scene.engine.verify(backupName);
    expect(objects).toBe(1_002);
    expect(issues).toHaveLength(1_001);
    expect(issues.at(-1)?.message).toBe('1 more errors of objects are not named here');
  });

  it('a cut, wherever it is', async () => {
    const bytes = gzipSync(await tarOf([good, configMapEntry('other')]));
    for (let part = 0; part < 12; part += 1) {
      await using scene = await hostileScene(bytes.subarray(0, (bytes.byteLength * part) / 12));
      await expectRefused(scene, /damaged/);
    }
  });

  it('a cut between two files', async () => {
    const tar = await tarOf([good, configMapEntry('other')]);
    await refuse(tar.subarray(0, tar.indexOf(pathOf('other'))), /cut off/);
  });
});

describe('of a bomb is read', () => {
  it('less than a megabyte when 10 MB are to become 10 GB', async () => {
    await using scene = await hostileScene();
    const spaces = await tarOf([{ name: 'notes', body: ' '.repeat(16 * mebibyte) }]);
    const member = gzipSync(spaces.subarray(0, -1_024), { level: 9 });
    scene.store.serve(archiveKey, async function* bomb() {
      for (let unpacked = 0; unpacked < 10 * 1024; unpacked += 16) {
        yield member;
      }
    });
    await expect(scene.restore()).rejects.toThrow('500 times its size');
    await scene.expectNothingWritten();
    expect(scene.store.readBytes.get(archiveKey)).toBeLessThan(mebibyte);
  });

  it('an extended header no further than the largest that there can be', async () => {
    await using scene = await hostileScene();
    const header = withHeaderField(await tarOf([{ name: 'x' }]), 156, Buffer.from('x'));
    const huge = withHeaderField(header, 124, Buffer.from('77777777777 ')).subarray(0, 512);
    scene.store.serve(archiveKey, async function* bomb() {
      yield gzipSync(huge);
      const records = gzipSync(Buffer.alloc(mebibyte, '4 =\n'));
      for (let read = 0; read < 8 * 1024; read += 1) {
        yield records;
      }
    });
    await expect(scene.restore()).rejects.toMatchObject({ code: 'CorruptBackup' });
    await scene.expectNothingWritten();
    expect(scene.store.readBytes.get(archiveKey)).toBeLessThan(mebibyte);
  });
});

it('an archive that never ends to hold objects is read no further than its limit, and nothing is applied', async () => {
  await using scene = await hostileScene();
  const atOnce = 500;
  let made = 0;
  scene.store.serve(archiveKey, async function* endless() {
    for (;;) {
      const names = Array.from({ length: atOnce }, (_, index) => `x-${made + index}`);
      made += atOnce;
      const tar = await tarOf(names.map((name) => configMapEntry(name)));
      yield gzipSync(tar.subarray(0, -1_024), { level: 1 });
    }
  });
  await expect(scene.restore({ maximumArchiveEntries: 2_000 })).rejects.toMatchObject({
    code: 'CorruptBackup',
    message: expect.stringContaining('more than 2000 files and directories') as string,
  });
  await scene.expectNothingWritten();
  // What was on its way when the limit was reached is not much.
  expect(made).toBeLessThan(20_000);
});

describe('an object is left out, with an error that names it, when', () => {
  const withText = (name: string, text: string): TarEntry => ({ name: pathOf(name), body: text });
  const head = '"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"bad","namespace":"shop"}';

  it.each<{ name: string; entry: TarEntry; message: RegExp }>([
    {
      name: 'it is nested 100,000 levels deep',
      entry: withText('bad', `{${head},"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
      message: /nested deeper than 500 levels/,
    },
    {
      name: 'it holds a million values',
      entry: withText('bad', `{${head},"x":[${'{},'.repeat(1_000_000)}0]}`),
      message: /more than 1000000 values/,
    },
    {
      name: 'its name is another',
      entry: configMapEntry('bad', configMap('other')),
      message: /its name is "other", its path says "bad"/,
    },
    {
      name: 'its name is of a megabyte',
      entry: configMapEntry('bad', configMap('x'.repeat(mebibyte))),
      message: /^.{1,400}$/,
    },
    {
      name: 'its namespace is another',
      entry: configMapEntry('bad', {
        ...configMap('bad'),
        metadata: { name: 'bad', namespace: 'kube-system' },
      }),
      message: /its namespace is "kube-system", its path says "shop"/,
    },
    {
      name: 'it is of another group',
      entry: configMapEntry(
        'bad',
        archivedObject('rbac.authorization.k8s.io/v1', 'Role', { name: 'bad' }),
      ),
      message: /its path says configmaps/,
    },
    {
      name: 'it is not JSON, of which nothing is quoted',
      entry: withText('bad', `{${head},"data":{"password":c2VjcmV0}}`),
      message: /^it is not restored: it is not JSON$/,
    },
  ])('$name', async ({ entry, message }) => {
    await using scene = await hostileScene(gzipSync(await tarOf([good, entry])));
    const { issues, restore } = await scene.restore();
    expect(restore.status.phase).toBe('PartiallyFailed');
    expect(issues).toEqual([
      {
        severity: 'error',
        reason: 'CorruptObject',
        message: expect.stringMatching(message) as string,
        object: { groupResource: 'configmaps', namespace: 'shop', name: 'bad' },
      },
    ]);
    const created = scene.writes().filter(({ resource }) => resource !== 'namespaces');
    expect(created).toEqual([expect.objectContaining({ operation: 'create', name: 'good' })]);
    expect(await scene.engine.verify(backupName)).toMatchObject({
      intact: false,
      issues: [{ reason: 'CorruptObject', object: { name: 'bad' } }],
    });
  });
});

it('a key __proto__ is restored as a key like any other, and changes no prototype', async () => {
  const withProto = (object: KubernetesObject): string =>
    JSON.stringify(object).replaceAll('PROTO', '__proto__');
  const data = { PROTO: 'polluted', constructor: 'c', toString: 't' };
  const labels = { PROTO: 'polluted' };
  const tar = await tarOf([
    { name: pathOf('keys'), body: withProto({ ...configMap('keys'), data }) },
    {
      name: pathOf('labels'),
      body: withProto(archivedObject('v1', 'ConfigMap', { name: 'labels', labels })),
    },
    {
      name: pathOf('__proto__'),
      body: withProto(archivedObject('v1', 'ConfigMap', { name: 'PROTO' })),
    },
  ]);
  await using scene = await hostileScene(gzipSync(tar));
  const { issues } = await scene.restore();
  expect(issues.map(({ reason, object }) => `${reason} ${object?.name}`).sort()).toEqual([
    'Invalid __proto__',
    'Invalid labels',
  ]);
  const configMaps = { group: '', version: 'v1', resource: 'configmaps' };
  const restored = await scene.cluster.get({ ...configMaps, namespace: 'shop', name: 'keys' });
  expect(JSON.stringify(restored?.['data'])).toBe(
    '{"__proto__":"polluted","constructor":"c","toString":"t"}',
  );
  expect({}).not.toHaveProperty('polluted');
});

it('an object at the limits of depth and values is restored like any other', async () => {
  const deep = `${'['.repeat(499)}${']'.repeat(499)}`;
  const text = `{"apiVersion":"example.com/v1","kind":"Gizmo","metadata":{"name":"deep","namespace":"shop"},"spec":${deep}}`;
  const definition = archivedObject(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    { name: 'gizmos.example.com', namespace: undefined },
    {
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'gizmos', singular: 'gizmo', kind: 'Gizmo' },
        versions: [
          {
            ...{ name: 'v1', served: true, storage: true },
            schema: {
              openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        ],
      },
    },
  );
  const path =
    'resources/customresourcedefinitions.apiextensions.k8s.io/cluster/gizmos.example.com.json';
  const tar = await tarOf([
    { name: path, body: JSON.stringify(definition) },
    { name: 'resources/gizmos.example.com/namespaces/shop/deep.json', body: text },
  ]);
  await using scene = await hostileScene(gzipSync(tar));
  expect((await scene.restore()).issues).toEqual([]);
  const gizmos = { group: 'example.com', version: 'v1', resource: 'gizmos' };
  const restored = await scene.cluster.get({ ...gizmos, namespace: 'shop', name: 'deep' });
  expect(JSON.stringify(restored?.['spec'])).toBe(deep);
  // Compared with what is there, it is the same.
  const again = await scene.restore();
  expect(again.issues.filter(({ object }) => object?.name === 'deep')).toEqual([]);
});
