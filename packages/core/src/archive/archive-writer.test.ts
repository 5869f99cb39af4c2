import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type JsonObject, parseJson, stringifyJson } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { readArchive } from './archive-reader.ts';
import { type ArchiveWriter, type WrittenArchive, writeArchive } from './archive-writer.ts';

const run = promisify(execFile);
const modifiedAt = new Date('2026-01-02T03:04:05Z');
const configMaps = { group: '', version: 'v1', resource: 'configmaps' };
const clusterRoles = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource: 'clusterroles',
};

function configMap(name: string, data: JsonObject = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' }, data };
}

function clusterRole(name: string): KubernetesObject {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name } };
}

async function archiveOf<T>(
  produce: (archive: ArchiveWriter) => Promise<T>,
): Promise<WrittenArchive<T> & { readonly bytes: Buffer }> {
  const chunks: Uint8Array[] = [];
  const written = await writeArchive(
    async (body) => {
      for await (const chunk of body) {
        chunks.push(chunk);
      }
    },
    produce,
    { modifiedAt },
  );
  return { ...written, bytes: Buffer.concat(chunks) };
}

async function* bodyOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** A sink that reads everything and keeps nothing. */
async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    expect(chunk.byteLength).toBeGreaterThan(0);
  }
}

describe('what it writes', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lifeboat-archive-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it('is a tar that GNU tar lists in the layout and modes of Velero', async () => {
    const { bytes, entries } = await archiveOf(async (archive) => {
      await archive.writeObject(configMaps, configMap('settings'));
      await archive.writeObject(clusterRoles, clusterRole('system:reader'));
    });
    const file = join(directory, 'a.tar.gz');
    await writeFile(file, bytes);
    const { stdout } = await run('tar', ['tvzf', file, '--numeric-owner', '--utc', '--full-time']);
    const head = '-rwxr-xr-x 0/0';
    const time = '2026-01-02 03:04:05';
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => line.replace(/ +\d+ /, ' '))).toEqual([
      `${head} ${time} metadata/version`,
      `${head} ${time} resources/configmaps/namespaces/shop/settings.json`,
      `${head} ${time} resources/configmaps/v1-preferredversion/namespaces/shop/settings.json`,
      `${head} ${time} resources/clusterroles.rbac.authorization.k8s.io/cluster/system:reader.json`,
      `${head} ${time} resources/clusterroles.rbac.authorization.k8s.io/v1-preferredversion/cluster/system:reader.json`,
    ]);
    expect(entries).toBe(lines.length);
  });

  it('extracts to the same bytes in both copies, also under long and non-ASCII names', async () => {
    const long = 'n'.repeat(230);
    const names = [long, 'größe-日本', 'plain'];
    const { bytes } = await archiveOf(async (archive) => {
      for (const name of names) {
        await archive.writeObject(configMaps, configMap(name, { key: `<${name}>` }));
      }
    });
    const file = join(directory, 'a.tar.gz');
    await writeFile(file, bytes);
    await run('tar', ['xzf', file, '-C', directory], {
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    expect(await readFile(join(directory, 'metadata/version'), 'utf8')).toBe('1.1.0\n');
    for (const name of names) {
      const text = stringifyJson(configMap(name, { key: `<${name}>` }));
      for (const folder of ['namespaces', 'v1-preferredversion/namespaces']) {
        const path = join(directory, 'resources/configmaps', folder, 'shop', `${name}.json`);
        expect(await readFile(path, 'utf8')).toBe(text);
      }
    }
  });
});

it('is read back object by object, with __proto__ keys and long numbers', async () => {
  const odd = parseJson('{"__proto__":{"x":1},"n":9007199254740993}');
  const objects = [configMap('a', { odd }), configMap('b'), configMap('c')];
  const { bytes, result } = await archiveOf(async (archive) => {
    for (const object of objects) {
      await archive.writeObject(configMaps, object);
    }
    return 'done';
  });
  const read: string[] = [];
  for await (const { entry, bytes: text } of readArchive(bodyOf(bytes))) {
    expect(entry).toMatchObject({ groupResource: 'configmaps', namespace: 'shop' });
    read.push(Buffer.from(text).toString());
  }
  expect(read).toEqual(objects.map(stringifyJson));
  expect(result).toBe('done');
});

it('writes the same bytes for the same input, and reports their size and digest', async () => {
  const produce = async (archive: ArchiveWriter): Promise<void> => {
    await archive.writeObject(configMaps, configMap('a', { b: '1', a: '2' }));
  };
  const first = await archiveOf(produce);
  const second = await archiveOf(produce);
  expect(second.bytes.equals(first.bytes)).toBe(true);
  expect(first.sizeBytes).toBe(first.bytes.byteLength);
  expect(first.sha256).toBe(createHash('sha256').update(first.bytes).digest('hex'));
});

it('keeps the copies of an object together when writes overlap', async () => {
  const { bytes, entries } = await archiveOf(async (archive) => {
    const names = Array.from({ length: 50 }, (_, index) => `c-${index}`);
    await Promise.all(names.map((name) => archive.writeObject(configMaps, configMap(name))));
  });
  expect(entries).toBe(101);
  const paths = gunzipSync(bytes)
    .toString('latin1')
    .match(/resources\/[^\0]+/g);
  const names = (paths ?? []).map((path) => path.split('/').at(-1));
  expect(names.filter((_, index) => index % 2 === 0)).toEqual(
    names.filter((_, index) => index % 2 === 1),
  );
});

it('refuses a name that no file can have, and goes on', async () => {
  const { entries } = await archiveOf(async (archive) => {
    await expect(
      archive.writeObject(clusterRoles, clusterRole('back\\slash')),
    ).rejects.toMatchObject({ code: 'Unsupported' });
    await archive.writeObject(clusterRoles, clusterRole('good'));
  });
  expect(entries).toBe(3);
});

it('refuses an object after the producer has returned', async () => {
  let escaped: ArchiveWriter | undefined;
  await archiveOf(async (archive) => {
    escaped = archive;
  });
  await expect(escaped?.writeObject(configMaps, configMap('late'))).rejects.toMatchObject({
    code: 'Closed',
  });
});

/** Writes objects until the archive refuses. */
async function endless(archive: ArchiveWriter): Promise<never> {
  for (let index = 0; ; index += 1) {
    await archive.writeObject(configMaps, configMap(`c-${index}`, { fill: 'x'.repeat(2_000) }));
  }
}

describe('when something fails', () => {
  it('throws the error of the sink, after the producer has ended', async () => {
    const failure = new Error('bucket is gone');
    let ended = false;
    const written = writeArchive(
      async (body) => {
        for await (const chunk of body) {
          expect(chunk.byteLength).toBeGreaterThan(0);
          throw failure;
        }
      },
      async (archive, signal) => {
        try {
          await endless(archive);
        } finally {
          ended = signal.aborted;
        }
      },
      { modifiedAt },
    );
    await expect(written).rejects.toBe(failure);
    expect(ended).toBe(true);
  });

  it('throws the error of a sink that fails before it reads', async () => {
    const failure = new Error('no rights');
    const written = writeArchive(() => Promise.reject(failure), endless, { modifiedAt });
    await expect(written).rejects.toBe(failure);
  });

  it('throws the error of the producer, which also breaks the body of the sink', async () => {
    const failure = new Error('list failed');
    let seen: unknown;
    const written = writeArchive(
      async (body) => {
        await drain(body).catch((error: unknown) => {
          seen = error;
          throw error;
        });
      },
      async (archive) => {
        await archive.writeObject(configMaps, configMap('a'));
        throw failure;
      },
      { modifiedAt },
    );
    await expect(written).rejects.toBe(failure);
    expect(seen).toBe(failure);
  });

  it('does not count a sink that stops early as a success', async () => {
    const written = writeArchive(
      async () => undefined,
      async () => undefined,
      { modifiedAt },
    );
    await expect(written).rejects.toThrow('stopped reading');
  });

  it('starts nothing when the signal has already aborted', async () => {
    const reason = new Error('stop');
    const written = writeArchive(
      () => expect.unreachable(),
      () => expect.unreachable(),
      { modifiedAt, signal: AbortSignal.abort(reason) },
    );
    await expect(written).rejects.toBe(reason);
  });

  it('rejects with the reason of an abort, whenever it comes', async () => {
    for (const turns of [0, 1, 2, 3, 5, 8, 13]) {
      const controller = new AbortController();
      const reason = new Error(`stop ${turns}`);
      let sinkEnded = false;
      const written = writeArchive(
        (body) =>
          drain(body).finally(() => {
            sinkEnded = true;
          }),
        endless,
        { modifiedAt, signal: controller.signal },
      );
      const outcome = expect(written).rejects.toBe(reason);
      for (let turn = 0; turn < turns; turn += 1) {
        await nextTurn();
      }
      controller.abort(reason);
      await outcome;
      expect(sinkEnded).toBe(true);
    }
  }, 60_000);

  it('waits for a sink that undoes its work', async () => {
    const controller = new AbortController();
    let undone = false;
    const written = writeArchive(
      async (body) => {
        try {
          await drain(body);
        } finally {
          await nextTurn();
          undone = true;
        }
      },
      endless,
      { modifiedAt, signal: controller.signal },
    );
    await nextTurn();
    controller.abort();
    await expect(written).rejects.toMatchObject({ name: 'AbortError' });
    expect(undone).toBe(true);
  });
});

it('takes no more than three members ahead of the sink', async () => {
  const fill = 'x'.repeat(128 * 1024);
  const tarBytes = 2 * 129 * 1024;
  const memberBytes = 1024 * 1024 + tarBytes;
  let written = 0;
  let read = 0;
  let most = 0;
  await writeArchive(
    async (body) => {
      for await (const _ of body) {
        // The writer gets as far as it can.
        await nextTurn();
        most = Math.max(most, written * tarBytes - read * memberBytes);
        read += 1;
      }
    },
    async (archive) => {
      for (; written < 40; written += 1) {
        await archive.writeObject(configMaps, configMap(`c-${written}`, { fill }));
      }
    },
    { modifiedAt },
  );
  expect(read).toBeGreaterThan(6);
  expect(most).toBeLessThanOrEqual(3 * memberBytes);
}, 60_000);
