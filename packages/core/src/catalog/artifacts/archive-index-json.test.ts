import { expect, it } from 'vitest';
import type { JsonValue } from '../../model/json.ts';
import { decodeArchiveIndex } from './archive-index-json.ts';

const row = ['', 'v1', 'configmaps', 'shop', 'a', 0, 0, 1024, 5, 'x'];
it.each<{ name: string; value: JsonValue }>([
  { name: 'nothing', value: null },
  { name: 'a later format', value: { formatVersion: 2, members: [], objects: [] } },
  { name: 'no members', value: { formatVersion: 1, objects: [] } },
  { name: 'a member that is no row', value: { formatVersion: 1, members: [7], objects: [] } },
  { name: 'a negative offset', value: { formatVersion: 1, members: [[-1, 1, 1]], objects: [] } },
  { name: 'a fraction', value: { formatVersion: 1, members: [[0.5, 1, 1]], objects: [] } },
  { name: 'a short row', value: { formatVersion: 1, members: [], objects: [row.slice(0, 9)] } },
  {
    name: 'a name that is a number',
    value: { formatVersion: 1, members: [], objects: [row.with(4, 4)] },
  },
])('what is not an index is refused: $name', ({ value }) => {
  expect(() => decodeArchiveIndex(value, 'backups/b/lifeboat-index.json.gz')).toThrow(
    expect.objectContaining({
      code: 'CorruptBackup',
      target: 'backups/b/lifeboat-index.json.gz',
    }),
  );
});
