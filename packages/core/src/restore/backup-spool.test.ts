import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BackupSpool, type SpoolRecord } from './backup-spool.ts';

let directory: string;

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spool-test-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

it('returns each record as it was added, whatever the order of reading', async () => {
  await using spool = await BackupSpool.open({ directory });
  const texts = ['', 'a', 'b'.repeat(1_000_000), '{"ä":"€"}'];
  const records = [];
  for (const text of texts) {
    records.push(await spool.append(Buffer.from(text)));
  }
  await spool.flush();
  const read = await Promise.all(records.toReversed().map((record) => spool.read(record, textOf)));
  expect(read.toReversed()).toEqual(texts);
});

it('leaves nothing in its folder, neither open nor closed', async () => {
  const spool = await BackupSpool.open({ directory });
  await spool.append(Buffer.from('secret'));
  await spool.flush();
  expect(await readdir(directory)).toEqual([]);
  await spool.close();
  await spool.close();
  expect(await readdir(directory)).toEqual([]);
});

it('keeps the positions of records apart that do not fit into memory', async () => {
  await using spool = await BackupSpool.open({ directory });
  const large = [randomBytes(400_000), randomBytes(400_000)];
  const records = [];
  for (const bytes of large) {
    records.push(await spool.append(bytes));
  }
  await spool.flush();
  const read = await Promise.all(
    records.map((record, index) => spool.read(record, (bytes) => large[index]?.equals(bytes))),
  );
  expect(read).toEqual([true, true]);
});

it('returns more records than it keeps in memory, in any order, many at a time', async () => {
  await using spool = await BackupSpool.open({ directory });
  // Some 3 MB, where half of that is kept.
  const written = Array.from({ length: 300 }, (_, index) => `${index} `.repeat(2_000));
  const records: SpoolRecord[] = [];
  for (const text of written) {
    records.push(await spool.append(Buffer.from(text)));
  }
  await spool.flush();
  const order = [...records.keys(), ...records.keys().map((index) => (index * 7) % 300)];
  const read = await Promise.all(order.map((index) => spool.read(records[index] ?? -1, textOf)));
  expect(read).toEqual(order.map((index) => written[index]));
});

it('keeps the bytes of a record until what is made of them is made, and frees them once others were used', async () => {
  await using spool = await BackupSpool.open({ directory });
  // Each is more than half of a block, so that it has one of its own.
  const records: SpoolRecord[] = [];
  for (let index = 0; index < 30; index += 1) {
    records.push(await spool.append(Buffer.alloc(150_000, `${index} `)));
  }
  await spool.flush();
  const [first = -1, ...others] = records;
  const kept = await spool.read(first, (bytes) => bytes);
  expect(kept.byteLength).toBe(150_000);
  // Begins while the block of the first is kept, and ends when as many others have been asked for as are.
  const again = spool.read(first, textOf);
  const texts = await Promise.all(others.map((record) => spool.read(record, textOf)));
  expect((await again).startsWith('0 0 0 ')).toBe(true);
  expect(texts.map((text) => Number.parseInt(text, 10))).toEqual(
    [...others.keys()].map((n) => n + 1),
  );
  expect(kept.byteLength).toBe(0);
});

it('rejects a read of a record that was not flushed, or not added', async () => {
  await using spool = await BackupSpool.open({ directory });
  const record = await spool.append(Buffer.from('x'));
  await expect(spool.read(record, textOf)).rejects.toThrow(RangeError);
  await expect(spool.read(record + 1, textOf)).rejects.toThrow(RangeError);
});

it('says which folder there is no writing to', async () => {
  const missing = join(directory, 'missing');
  await expect(BackupSpool.open({ directory: missing })).rejects.toMatchObject({
    ...{ name: 'LifeboatError', code: 'InvalidConfig', target: missing },
    message: expect.stringContaining('tempDirectory') as string,
  });
});

it('says that the file cannot be written', async () => {
  const spool = await BackupSpool.open({ directory });
  await spool.append(Buffer.from('x'));
  await spool.close();
  await expect(spool.flush()).rejects.toMatchObject({
    ...{ name: 'LifeboatError', code: 'Unavailable', target: directory },
  });
});
