import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileSystemObjectStore } from './file-system-object-store.ts';

let directory: string;
let store: FileSystemObjectStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lifeboat-store-'));
  store = new FileSystemObjectStore({ directory: join(directory, 'root') });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

const text = Buffer.from('text');

async function keysIn(prefix = ''): Promise<readonly string[]> {
  return Array.fromAsync(store.list(prefix), ({ key }) => key);
}

it('keeps an object as a file at the path of its key, for its owner alone', async () => {
  await store.put('backups/shop/a.json', text);
  const path = join(directory, 'root/backups/shop/a.json');
  expect(await readFile(path, 'utf8')).toBe('text');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(directory, 'root/backups'))).mode & 0o777).toBe(0o700);
  expect((await stat(join(directory, 'root'))).mode & 0o777).toBe(0o700);
});

it('is empty, and can be read, before anything was put', async () => {
  expect(await keysIn()).toEqual([]);
  expect(await store.stat('a')).toBeUndefined();
  await store.delete('a');
  expect(await readdir(directory)).toEqual([]);
});

it('makes its directory with those above it', async () => {
  await using deep = new FileSystemObjectStore({ directory: join(directory, 'a/b/c') });
  await Promise.all(['x', 'y', 'z'].map((key) => deep.put(key, text)));
  expect(await Array.fromAsync(deep.list(''), ({ key }) => key)).toEqual(['x', 'y', 'z']);
  expect((await stat(join(directory, 'a'))).mode & 0o777).toBe(0o700);
});

it.each(['/proc/lifeboat', '/dev/null/lifeboat/store'])(
  'rejects a put where there can be no directory: %s',
  async (impossible) => {
    await using elsewhere = new FileSystemObjectStore({ directory: impossible });
    await expect(elsewhere.put('a', text)).rejects.toMatchObject({ name: 'ObjectStoreError' });
    expect(await Array.fromAsync(elsewhere.list(''))).toEqual([]);
  },
);

it('says where it is', () => {
  expect(store.location).toBe(`file://${directory}/root/`);
});

describe('an upload', () => {
  it('is not listed while it is under way, and can be read when it is done', async () => {
    let during: readonly string[] | undefined;
    async function* body(): AsyncGenerator<Uint8Array> {
      yield text;
      during = [...(await keysIn()), ...(await Array.fromAsync(store.listPrefixes('')))];
    }
    await store.put('a', body());
    expect(during).toEqual([]);
    expect(await keysIn()).toEqual(['a']);
  });

  it('leaves no file behind, done or failed', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield text;
      throw new Error('broken');
    }
    await store.put('a', text);
    await store.put('b', text, { ifAbsent: true });
    await expect(store.put('c', broken())).rejects.toThrow('broken');
    expect(await readdir(join(directory, 'root/.lifeboat-uploads'))).toEqual([]);
    await store.close();
    expect((await readdir(join(directory, 'root'))).sort()).toEqual(['a', 'b']);
  });

  it('that a crash has cut off is removed a day later, and a newer one is not', async () => {
    const uploads = join(directory, 'root/.lifeboat-uploads');
    await mkdir(uploads, { recursive: true });
    await writeFile(join(uploads, 'old'), text);
    await writeFile(join(uploads, 'new'), text);
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    await utimes(join(uploads, 'old'), yesterday, yesterday);
    expect(await keysIn()).toEqual([]);
    await store.put('a', text);
    expect(await readdir(uploads)).toEqual(['new']);
  });

  it('keeps its folder to itself: no key may name it', async () => {
    const refused = { code: 'InvalidConfig' };
    await expect(store.put('.lifeboat-uploads/a', text)).rejects.toMatchObject(refused);
    await expect(store.get('.lifeboat-uploads/a')).rejects.toMatchObject(refused);
    await expect(keysIn('.lifeboat-uploads/')).rejects.toMatchObject(refused);
  });
});

describe('a symbolic link', () => {
  const refused = { name: 'ObjectStoreError', code: 'InvalidConfig' };
  beforeEach(async () => {
    await mkdir(join(directory, 'outside'));
    await writeFile(join(directory, 'outside/secret'), 'secret');
    await store.put('here/a', text);
    await symlink(join(directory, 'outside'), join(directory, 'root/linked'));
    await symlink(join(directory, 'outside/secret'), join(directory, 'root/here/link'));
  });

  it('leads no call out of the directory', async () => {
    for (const key of ['linked/secret', 'here/link']) {
      await expect(store.get(key)).rejects.toMatchObject(refused);
      await expect(store.stat(key)).rejects.toMatchObject(refused);
      await expect(store.delete(key)).rejects.toMatchObject(refused);
    }
    await expect(store.put('linked/new', text)).rejects.toMatchObject(refused);
    await expect(store.put('linked/deep/new', text)).rejects.toMatchObject(refused);
    await expect(keysIn('linked/')).rejects.toMatchObject(refused);
    expect(await readdir(join(directory, 'outside'))).toEqual(['secret']);
  });

  it('is not listed', async () => {
    expect(await keysIn()).toEqual(['here/a']);
    expect(await Array.fromAsync(store.listPrefixes(''))).toEqual(['here/']);
  });

  it('at the place of an object is replaced, not followed', async () => {
    await store.put('here/link', text);
    expect(await readFile(join(directory, 'outside/secret'), 'utf8')).toBe('secret');
    expect(await keysIn('here/')).toEqual(['here/a', 'here/link']);
  });

  it('in the place of the uploads folder is refused', async () => {
    await store.close();
    await symlink(join(directory, 'outside'), join(directory, 'root/.lifeboat-uploads'));
    const next = new FileSystemObjectStore({ directory: join(directory, 'root') });
    await expect(next.put('a', text)).rejects.toMatchObject(refused);
    expect(await readdir(join(directory, 'outside'))).toEqual(['secret']);
  });

  it('may be the directory itself', async () => {
    await symlink(join(directory, 'root'), join(directory, 'root-link'));
    await using linked = new FileSystemObjectStore({ directory: join(directory, 'root-link') });
    await linked.put('here/b', text);
    expect(await Array.fromAsync(linked.list(''), ({ key }) => key)).toEqual(['here/a', 'here/b']);
  });
});

describe('folders', () => {
  it('go when the last object in them is deleted', async () => {
    await store.put('a/b/c', text);
    await store.put('a/d', text);
    await store.delete('a/b/c');
    expect(await readdir(join(directory, 'root/a'))).toEqual(['d']);
    await store.delete('a/d');
    expect(await readdir(join(directory, 'root'))).toEqual(['.lifeboat-uploads']);
  });

  it('that are empty are no prefixes, and no objects', async () => {
    await mkdir(join(directory, 'root/empty/deep'), { recursive: true });
    expect(await Array.fromAsync(store.listPrefixes(''))).toEqual([]);
    expect(await store.stat('empty')).toBeUndefined();
    await expect(store.get('empty')).rejects.toMatchObject({ code: 'NotFound' });
    await store.delete('empty');
    expect(await readdir(join(directory, 'root'))).toEqual(['empty']);
  });

  it('are made again when a delete removes them under a writer', async () => {
    const work = Array.from({ length: 60 }, async (_, index) => {
      const key = `shared/${index % 3}/${index}`;
      await store.put(key, text);
      await store.delete(key);
    });
    await Promise.all(work);
    expect(await keysIn()).toEqual([]);
  });

  it('cannot be objects at the same time', async () => {
    await store.put('a/b', text);
    await expect(store.put('a', text)).rejects.toMatchObject({ code: 'InvalidConfig' });
    await expect(store.put('a/b/c', text)).rejects.toMatchObject({ code: 'InvalidConfig' });
    expect(await store.stat('a/b/c')).toBeUndefined();
  });
});

it('reports a name that the file system cannot hold', async () => {
  await expect(store.put('x'.repeat(256), text)).rejects.toMatchObject({ code: 'InvalidConfig' });
});

it('reports a directory that cannot be made', async () => {
  await writeFile(join(directory, 'file'), text);
  const blocked = new FileSystemObjectStore({ directory: join(directory, 'file/root') });
  await expect(blocked.put('a', text)).rejects.toMatchObject({ code: 'InvalidConfig' });
});
