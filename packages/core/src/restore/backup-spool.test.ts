import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BackupSpool, type SpoolRecord } from './backup-spool.ts';

let directory: string;

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
  const read = await Promise.all(records.toReversed().map((record) => spool.read(record)));
  expect(read.toReversed().map((bytes) => Buffer.from(bytes).toString())).toEqual(texts);
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
  const read = await Promise.all(records.map((record) => spool.read(record)));
  expect(read.map((bytes, index) => large[index]?.equals(bytes))).toEqual([true, true]);
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
  const read = await Promise.all(order.map((index) => spool.read(records[index] ?? -1)));
  const texts = read.map((bytes) => Buffer.from(bytes).toString());
  expect(texts).toEqual(order.map((index) => written[index]));
});

it('rejects a read of a record that was not flushed, or not added', async () => {
  await using spool = await BackupSpool.open({ directory });
  const record = await spool.append(Buffer.from('x'));
  await expect(spool.read(record)).rejects.toThrow(RangeError);
  await expect(spool.read(record + 1)).rejects.toThrow(RangeError);
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
