import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { ArchiveIndex } from '../../archive/archive-index.ts';
import { parseJson } from '../../model/json.ts';
import { ArchiveIndexFile } from './archive-index-file.ts';
import { decodeArchiveIndex } from './archive-index-json.ts';

const index: ArchiveIndex = {
  members: [
    { offset: 0, sizeBytes: 90, tarBytes: 2048 },
    { offset: 90, sizeBytes: 40, tarBytes: 1024 },
  ],
  objects: [
    {
      group: '',
      version: 'v1',
      resource: 'configmaps',
      namespace: 'shop',
      name: '__proto__',
      member: 0,
      offset: 512,
      tarBytes: 1024,
      sizeBytes: 77,
      sha256: 'abc=',
    },
    {
      group: 'rbac.authorization.k8s.io',
      version: 'v1',
      resource: 'clusterroles',
      name: 'system:reader',
      member: 1,
      offset: 0,
      tarBytes: 1024,
      sizeBytes: 5,
      sha256: 'def=',
    },
  ],
};

async function fileOf({ members, objects }: ArchiveIndex): Promise<Uint8Array> {
  const file = new ArchiveIndexFile();
  for (const object of objects) {
    file.add(object);
  }
  return file.end(members);
}

function read(file: Uint8Array): ArchiveIndex {
  return decodeArchiveIndex(parseJson(gunzipSync(file).toString()), 'key');
}

it('is read as it was written', async () => {
  expect(read(await fileOf(index))).toEqual(index);
});

it('is one without objects', async () => {
  expect(read(await fileOf({ members: [], objects: [] }))).toEqual({ members: [], objects: [] });
});

it('keeps rows of any length in order, however many there are', async () => {
  const [first] = index.objects;
  const objects = Array.from({ length: 3_000 }, (_, position) => ({
    ...(first ?? expect.unreachable()),
    name: `${(position % 2 === 0 ? '<' : '\u2028').repeat(position % 330)}${position}`,
  }));
  expect(read(await fileOf({ ...index, objects }))).toEqual({ ...index, objects });
});
