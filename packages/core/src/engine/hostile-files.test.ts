import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import type { ArchiveIndex, IndexedObject } from '../archive/archive-index.ts';
import { writeArchive } from '../archive/archive-writer.ts';
import type { BackupArtifact } from '../catalog/artifact.ts';
import { ArchiveIndexFile } from '../catalog/artifacts/archive-index-file.ts';
import { putCompressed, readArchiveIndex } from '../catalog/backup-files.ts';
import { backupKey } from '../catalog/key-layout.ts';
import { readAll } from '../internal/read-all.ts';
import {
  backupName,
  configMap,
  type HostileScene,
  hostileScene,
} from './hostile-backup-fixture.ts';

// Bombs are of some size, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

const mebibyte = 1024 * 1024;
const backupFile = backupKey(backupName, 'backup');

async function* endless(): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(64 * 1024, ' ');
  for (;;) {
    yield chunk;
  }
}

describe('a description that is', () => {
  it('endless is read no further than 16 MiB, and nothing is applied', async () => {
    await using scene = await hostileScene();
    scene.store.serve(backupFile, endless);
    await expect(scene.restore()).rejects.toMatchObject({
      code: 'CorruptBackup',
      target: backupFile,
    });
    await scene.expectNothingWritten();
    expect(scene.store.readBytes.get(backupFile)).toBeLessThan(17 * mebibyte);
    await expect(scene.engine.verify(backupName)).rejects.toMatchObject({ code: 'CorruptBackup' });
    expect(await Array.fromAsync(scene.engine.catalog.list())).toEqual([]);
  });

  it.each<{ name: string; change: (backup: string) => string; message: RegExp }>([
    {
      name: 'of another backup',
      change: (backup) => backup.replace('"name": "shop"', '"name": "other"'),
      message: /describes the backup "other", not "shop"/,
    },
    {
      name: 'of a backup with a name of a megabyte',
      change: (backup) => backup.replace('"shop"', JSON.stringify('x'.repeat(mebibyte))),
      message: /^.{1,600}$/,
    },
    {
      name: 'nested a million levels deep',
      change: (backup) =>
        backup.replace('"spec": {', `"spec": {"x":${'['.repeat(1e6)}${']'.repeat(1e6)},`),
      message: /nested deeper than 500 levels/,
    },
  ])('$name is refused, and nothing is applied', async ({ change, message }) => {
    await using scene = await hostileScene();
    const bytes = await readAll(await scene.store.get(backupFile), { maximumBytes: mebibyte });
    await scene.store.put(backupFile, Buffer.from(change(Buffer.from(bytes).toString())));
    await expect(scene.restore()).rejects.toMatchObject({
      code: 'CorruptBackup',
      target: backupFile,
      message: expect.stringMatching(message) as string,
    });
    await scene.expectNothingWritten();
  });
});

describe('a bomb in the place of', () => {
  const bombs: readonly { readonly name: string; readonly bomb: () => Uint8Array }[] = [
    { name: '130 MiB', bomb: () => repeated(gzipSync(Buffer.alloc(mebibyte, ' ')), 130) },
    {
      name: '5,000,000 values',
      bomb: () =>
        Buffer.concat([
          gzipSync('[{}'),
          repeated(gzipSync(',{}'.repeat(50_000)), 100),
          gzipSync(']'),
        ]),
    },
    { name: '100,000 levels', bomb: () => gzipSync('['.repeat(100_000) + ']'.repeat(100_000)) },
  ];

  it.each(bombs)('the volume information, of $name: nothing is applied', async ({ bomb }) => {
    await using scene = await hostileScene();
    const key = backupKey(backupName, 'volumeInfo');
    await scene.store.put(key, bomb());
    await expect(scene.restore()).rejects.toMatchObject({ code: 'CorruptBackup', target: key });
    await scene.expectNothingWritten();
    expect(await scene.engine.verify(backupName)).toMatchObject({ intact: false });
  });

  it('the volume information, endless: it is read no further than 64 MiB', async () => {
    await using scene = await hostileScene();
    const key = backupKey(backupName, 'volumeInfo');
    scene.store.serve(key, endless);
    await expect(scene.restore()).rejects.toMatchObject({ code: 'CorruptBackup', target: key });
    await scene.expectNothingWritten();
    expect(scene.store.readBytes.get(key)).toBeLessThan(65 * mebibyte);
  });

  it.each<BackupArtifact>(['results', 'resourceList', 'itemOperations', 'index', 'manifest'])(
    '%s: a restore does not need it, a verification finds it',
    async (artifact) => {
      await using scene = await hostileScene();
      await scene.store.put(backupKey(backupName, artifact), bombs[2]?.bomb() ?? Buffer.alloc(0));
      expect((await scene.restore()).issues).toEqual([]);
      const { intact, issues } = await scene.engine.verify(backupName);
      expect(intact).toBe(false);
      expect(issues).toMatchObject([{ reason: 'CorruptBackup' }]);
      expect(issues[0]?.message).toContain(backupKey(backupName, artifact));
    },
  );
});

describe('an index that', () => {
  const object = { groupResource: 'configmaps', namespace: 'shop', name: 'settings' };
  const archiveKey = backupKey(backupName, 'archive');

  async function indexedScene(
    change: (index: ArchiveIndex) => ArchiveIndex,
  ): Promise<HostileScene> {
    const scene = await hostileScene();
    const objects: IndexedObject[] = [];
    const { members } = await writeArchive(
      (body) => scene.store.put(archiveKey, body),
      async (archive) => {
        const resource = { group: '', version: 'v1', resource: 'configmaps' };
        await archive.writeObject(resource, configMap('settings'));
      },
      { modifiedAt: new Date(0), onPlace: (place) => objects.push(place) },
    );
    const changed = change({ members, objects });
    const file = new ArchiveIndexFile();
    for (const place of changed.objects) {
      file.add(place);
    }
    await putCompressed(scene.store, backupName, 'index', await file.end(changed.members));
    return scene;
  }

  type Members = Partial<ArchiveIndex['members'][number]>;
  type Objects = Partial<ArchiveIndex['objects'][number]>;
  const withMember =
    (change: Members) =>
    ({ members, objects }: ArchiveIndex): ArchiveIndex => ({
      members: members.map((member) => ({ ...member, ...change })),
      objects,
    });
  const withObject =
    (change: Objects) =>
    ({ members, objects }: ArchiveIndex): ArchiveIndex => ({
      members,
      objects: objects.map((place) => ({ ...place, ...change })),
    });

  it('is true is read from the archive by', async () => {
    await using scene = await indexedScene((index) => index);
    expect(await readArchiveIndex(scene.store, backupName)).toBeDefined();
    expect(await scene.engine.catalog.getObject(backupName, object)).toEqual(configMap('settings'));
  });

  it.each<{ name: string; change: (index: ArchiveIndex) => ArchiveIndex }>([
    { name: 'has a member behind a gap', change: withMember({ offset: 1 }) },
    { name: 'has a negative offset', change: withMember({ offset: -1 }) },
    { name: 'has an empty member', change: withMember({ sizeBytes: 0 }) },
    { name: 'has a member of 10 GB', change: withMember({ sizeBytes: 1e10 }) },
    { name: 'has a member that becomes 10 GB', change: withMember({ tarBytes: 1e10 }) },
    {
      name: 'has members that overlap',
      change: ({ members, objects }) => ({ members: [...members, ...members], objects }),
    },
    { name: 'names a member that is not there', change: withObject({ member: 1 }) },
    { name: 'places an object behind its member', change: withObject({ offset: 1e6 }) },
    { name: 'places an object of 10 GB', change: withObject({ tarBytes: 1e10 }) },
    { name: 'has more JSON than tar', change: withObject({ sizeBytes: 1e6 }) },
    { name: 'has a name that leaves', change: withObject({ name: '../../x' }) },
    { name: 'has a namespace that leaves', change: withObject({ namespace: '..' }) },
    {
      name: 'has a group that is part of the path',
      change: withObject({ group: 'x/namespaces', namespace: undefined }),
    },
  ])('$name is of no use: the archive is read whole', async ({ change }) => {
    await using scene = await indexedScene(change);
    await expect(readArchiveIndex(scene.store, backupName)).rejects.toMatchObject({
      code: 'CorruptBackup',
      target: backupKey(backupName, 'index'),
    });
    const { catalog } = scene.engine;
    expect(await Array.fromAsync(catalog.listObjects(backupName))).toEqual([object]);
    expect(await catalog.getObject(backupName, object)).toEqual(configMap('settings'));
    expect(await scene.engine.verify(backupName)).toMatchObject({ intact: false });
  });

  it.each<{ name: string; change: (index: ArchiveIndex) => ArchiveIndex }>([
    {
      name: 'a member that is longer than it says',
      change: ({ members, objects }) => ({
        members: members.map((member) => ({ ...member, tarBytes: member.tarBytes - 512 })),
        objects,
      }),
    },
    { name: 'a member that is cut', change: withMember({ sizeBytes: 50 }) },
    { name: 'an object in the middle of a block', change: withObject({ offset: 100 }) },
    { name: 'an object in the content of another', change: withObject({ offset: 512 }) },
    { name: 'a part of an object', change: withObject({ tarBytes: 700 }) },
    { name: 'nothing', change: withObject({ tarBytes: 0, sizeBytes: 0 }) },
    { name: 'another digest', change: withObject({ sha256: 'x' }) },
  ])('leads to $name: the object is refused', async ({ change }) => {
    await using scene = await indexedScene(change);
    const reading = scene.engine.catalog.getObject(backupName, object);
    await expect(reading).rejects.toMatchObject({ name: 'LifeboatError', code: 'CorruptBackup' });
  });

  it.each([{ sizeBytes: 1e6 }, { tarBytes: 1e6 }])(
    'is wrong about the size of a member, %j, can lead to the object all the same',
    async (size) => {
      await using scene = await indexedScene(withMember(size));
      const found = await scene.engine.catalog.getObject(backupName, object);
      expect(found).toEqual(configMap('settings'));
    },
  );

  it('is a bomb of 10 GB is unpacked no further than 256 MiB', async () => {
    await using scene = await indexedScene((index) => index);
    const member = gzipSync(Buffer.alloc(mebibyte, ' '));
    await scene.store.put(backupKey(backupName, 'index'), repeated(member, 10 * 1024));
    await expect(readArchiveIndex(scene.store, backupName)).rejects.toMatchObject({
      code: 'CorruptBackup',
    });
    expect(await scene.engine.catalog.getObject(backupName, object)).toEqual(configMap('settings'));
  });

  it('leads to a bomb is followed no further than it says itself', async () => {
    await using scene = await indexedScene(
      withMember({ tarBytes: 40 * mebibyte, sizeBytes: 102_400 }),
    );
    const member = gzipSync(Buffer.alloc(mebibyte, ' '));
    await scene.store.put(archiveKey, repeated(member, 100));
    const reading = scene.engine.catalog.getObject(backupName, object);
    await expect(reading).rejects.toMatchObject({ code: 'CorruptBackup' });
    expect(scene.store.readBytes.get(archiveKey)).toBeLessThanOrEqual(102_400);
  });
});

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}
