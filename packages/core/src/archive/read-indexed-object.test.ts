import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { stringifyJson } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import type { ArchiveIndex, IndexedObject } from './archive-index.ts';
import { readArchive } from './archive-reader.ts';
import { writeArchive } from './archive-writer.ts';
import { readIndexedObject } from './read-indexed-object.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };

function configMap(name: string, text: string): KubernetesObject {
  const metadata = { name, namespace: 'shop' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { text } };
}

interface TestArchive {
  readonly bytes: Buffer;
  readonly index: ArchiveIndex;
}

async function archiveOf(manifests: readonly KubernetesObject[]): Promise<TestArchive> {
  const chunks: Uint8Array[] = [];
  const objects: IndexedObject[] = [];
  const { members } = await writeArchive(
    async (body) => {
      for await (const chunk of body) {
        chunks.push(chunk);
      }
    },
    async (archive) => {
      for (const manifest of manifests) {
        await archive.writeObject(configMaps, manifest);
      }
    },
    { modifiedAt: new Date(0), onPlace: (object) => objects.push(object) },
  );
  return { bytes: Buffer.concat(chunks), index: { members, objects } };
}

async function* bodyOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function fetchFrom(bytes: Buffer) {
  return async ({ start, end }: { readonly start: number; readonly end: number }) =>
    bodyOf(bytes.subarray(start, end + 1));
}

/** Text that compression does not make small. */
function noise(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCharCode(97 + (state % 26));
  }).join('');
}

const objects = [
  configMap('small', 'a'),
  configMap('n'.repeat(230), 'b'),
  configMap('large', noise(3 * 1024 * 1024)),
  ...Array.from({ length: 1_000 }, (_, index) => configMap(`c-${index}`, noise(2_000))),
  configMap('__proto__', 'last'),
];

it('each object is read from its member alone, and each member is a gzip file of its own', async () => {
  const { bytes, index } = await archiveOf(objects);
  expect(index.objects.map(({ name }) => name)).toEqual(
    objects.map(({ metadata }) => metadata.name),
  );
  expect(index.members.length).toBeGreaterThan(3);
  expect(index.members.length).toBeLessThan(12);
  let expectedOffset = 0;
  for (const { offset, sizeBytes, tarBytes } of index.members) {
    expect(offset).toBe(expectedOffset);
    expectedOffset += sizeBytes;
    expect(gunzipSync(bytes.subarray(offset, expectedOffset))).toHaveLength(tarBytes);
  }
  expect(expectedOffset).toBe(bytes.byteLength);
  for (const [position, entry] of index.objects.entries()) {
    if (position < 5 || position % 100 === 0 || position === objects.length - 1) {
      const json = await readIndexedObject(index, entry, fetchFrom(bytes));
      expect(Buffer.from(json).toString()).toBe(stringifyJson(objects[position] ?? null));
    }
  }
});

it('the members together are one archive', async () => {
  const { bytes } = await archiveOf(objects);
  const names: string[] = [];
  for await (const { entry } of readArchive(bodyOf(bytes))) {
    names.push(entry.name);
  }
  expect(names).toEqual(objects.map(({ metadata }) => metadata.name));
});

it.each([
  { name: 'a member that is not there', change: { member: 7 }, message: /member 7 of 1/ },
  { name: 'another object', change: { name: 'second' }, message: /not where its index says/ },
  { name: 'another place', change: { offset: 0 }, message: /not where its index says/ },
  { name: 'another size', change: { sizeBytes: 1 }, message: /not what its index says/ },
  { name: 'another digest', change: { sha256: 'AAAA' }, message: /not what its index says/ },
] satisfies { name: string; change: Partial<IndexedObject>; message: RegExp }[])(
  'an index that lies is refused: $name',
  async ({ change, message }) => {
    const { bytes, index } = await archiveOf([configMap('first', 'a'), configMap('third', 'b')]);
    const [entry] = index.objects;
    const lie = { ...entry, ...change } as IndexedObject;
    const reading = readIndexedObject(index, lie, fetchFrom(bytes));
    await expect(reading).rejects.toMatchObject({ code: 'CorruptBackup' });
    await expect(reading).rejects.toThrow(message);
  },
);

it('a member that grows beyond what the index says is refused', async () => {
  const { bytes, index } = await archiveOf([configMap('first', 'a')]);
  const [member] = index.members;
  const [entry] = index.objects;
  const lie = { ...index, members: [{ ...member, tarBytes: 512 }] } as ArchiveIndex;
  await expect(
    readIndexedObject(lie, entry as IndexedObject, fetchFrom(bytes)),
  ).rejects.toMatchObject({ code: 'CorruptBackup' });
});
