import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { putArtifact } from '../catalog/backup-files.ts';
import { backupKey, claimKey, deletionMarkKey } from '../catalog/key-layout.ts';
import { ObjectStoreError } from '../errors.ts';
import type { DeletionEvent } from '../model/event.ts';
import { Resources } from '../model/resources.ts';
import { readonlyObjectStore } from '../stores/readonly-object-store.ts';
import { fakeCsiDriverName } from '../testing/fake-cluster/csi/fake-csi-driver.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import {
  dependenciesOf,
  snapshotInfo,
  storeArchive,
  storeDeletableBackup,
  storedContent,
  storeRestore,
} from './deletable-backup-fixture.ts';
import { deleteBackup } from './delete-backup.ts';
import { DeletionBench } from './deletion-bench-fixture.ts';

const contents = Resources.volumeSnapshotContents;

describe('a backup that is deleted', () => {
  it('goes with its snapshots, its files and its restores, and with nothing else', async () => {
    await using bench = new DeletionBench();
    const [handle] = await bench.addBackup('b1');
    const others = await bench.addBackup('b10');
    await storeRestore(bench.memory, 'r1', 'b1');
    await storeRestore(bench.memory, 'b1', 'b10');
    const ofOthers = (await bench.keys()).filter(
      (key) => !key.startsWith('backups/b1/') && !key.startsWith('restores/r1/'),
    );
    expect(await bench.delete('b1')).toEqual({
      backupName: 'b1',
      found: true,
      snapshots: [
        { driver: fakeCsiDriverName, snapshotHandle: handle, state: 'released', sharedWith: [] },
      ],
      restores: ['r1'],
      issues: [],
    });
    expect(bench.handles).toEqual(others);
    expect(await bench.keys()).toEqual(ofOthers);
    expect(await bench.contents()).toEqual([]);
  });

  it('is gone already: success, and nothing is written', async () => {
    await using bench = new DeletionBench();
    expect(await bench.delete('b1')).toMatchObject({ found: false, snapshots: [], issues: [] });
    expect(await bench.keys()).toEqual([]);
    expect(bench.cluster.requests).toEqual([]);
  });

  it('goes although its snapshots are gone from the storage', async () => {
    await using bench = new DeletionBench();
    const [handle = ''] = await bench.addBackup('b1');
    bench.storage.deleteSnapshot(handle);
    const { snapshots } = await bench.delete('b1');
    expect(snapshots).toMatchObject([{ snapshotHandle: handle, state: 'notFound' }]);
    expect(await bench.keys()).toEqual([]);
  });

  it('has its snapshots freed side by side, no more at a time than allowed', async () => {
    await using bench = new DeletionBench();
    await bench.addBackup('b1', 10);
    bench.cluster.faults.inject({ operation: 'create', delayMs: 5 });
    const events: DeletionEvent[] = [];
    const deleted = bench.delete('b1', { onEvent: (event) => events.push(event) });
    let most = 0;
    const finished = deleted.then(() => 'finished');
    while ((await Promise.race([finished, setImmediate('running')])) === 'running') {
      most = Math.max(most, (await Array.fromAsync(bench.cluster.list(contents))).length);
    }
    expect((await deleted).snapshots).toHaveLength(10);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    expect(bench.handles).toEqual([]);
    expect(events.flatMap((event) => (event.type === 'phase' ? event.phase : []))).toEqual([
      'Inspecting',
      'ReleasingSnapshots',
      'DeletingFiles',
    ]);
    expect(events.filter(({ type }) => type === 'snapshot')).toHaveLength(10);
  });

  it('is only looked at in a dry run', async () => {
    await using bench = new DeletionBench();
    const handles = await bench.addBackup('b1', 2);
    await storeRestore(bench.memory, 'r1', 'b1');
    const keys = await bench.keys();
    const result = await bench.delete('b1', { dryRun: true });
    expect(result).toMatchObject({
      found: true,
      snapshots: [{ state: 'wouldBeReleased' }, { state: 'wouldBeReleased' }],
      restores: ['r1'],
    });
    expect(await bench.keys()).toEqual(keys);
    expect(bench.handles).toEqual(handles);
    expect(bench.cluster.requests).toEqual([]);
  });

  it('keeps the results of a restore that a lock keeps, with a warning', async () => {
    await using bench = new DeletionBench();
    await bench.addBackup('b1');
    await storeRestore(bench.memory, 'r1', 'b1');
    bench.store.inject({ operation: 'delete', key: /^restores\/r1\//, error: 'Retained' });
    const { issues } = await bench.delete('b1');
    expect(issues).toMatchObject([{ severity: 'warning', reason: 'RestoreResultsLeft' }]);
    expect(await bench.keys('backups/')).toEqual([]);
  });
});

it('a backup whose snapshots are freed has left the catalog before its restores go', async () => {
  await using bench = new DeletionBench();
  await bench.addBackup('b1');
  await storeRestore(bench.memory, 'r1', 'b1');
  bench.store.inject({ operation: 'delete', key: /^restores\/r1\//, error: 'Unavailable' });
  await expect(bench.delete('b1')).rejects.toMatchObject({ code: 'Unavailable' });
  const left = await bench.keys();
  expect(left).not.toContain(backupKey('b1', 'backup'));
  expect(left).toContain(claimKey('b1'));
  expect((await bench.delete('b1')).restores).toEqual(['r1']);
  expect(await bench.keys()).toEqual([]);
});

describe('the snapshots of a backup', () => {
  it.each([
    { source: 'the volume information', file: 'volumeInfo' },
    { source: 'the file of contents of Velero up to 1.16', file: 'csiVolumeSnapshotContents' },
    { source: 'the contents in the archive', file: 'archive' },
    { source: 'contents of v1beta1 in the archive', file: 'v1beta1' },
  ] as const)('are found in $source alone', async ({ file }) => {
    await using bench = new DeletionBench();
    const handle = bench.addSnapshot('s');
    const { memory } = bench;
    await storeDeletableBackup(memory, { name: 'b1', handles: [] });
    const { apiVersion, kind, ...listed } = storedContent('b1', handle);
    if (file === 'volumeInfo') {
      await putArtifact(memory, 'b1', file, [snapshotInfo(handle)]);
    } else if (file === 'csiVolumeSnapshotContents') {
      await memory.delete(backupKey('b1', 'volumeInfo'));
      await putArtifact(memory, 'b1', file, [listed]);
    } else {
      const version = file === 'archive' ? apiVersion : 'snapshot.storage.k8s.io/v1beta1';
      await storeArchive(memory, 'b1', [{ ...listed, kind, apiVersion: version }]);
    }
    expect((await bench.delete('b1')).snapshots).toMatchObject([{ snapshotHandle: handle }]);
    expect(bench.handles).toEqual([]);
  });

  it('are freed with the Secret that the archived content names', async () => {
    await using bench = new DeletionBench();
    const handle = bench.addSnapshot('s');
    await storeDeletableBackup(bench.memory, { name: 'b1', handles: [handle] });
    const annotations = {
      'snapshot.storage.kubernetes.io/deletion-secret-name': 'secret',
      'snapshot.storage.kubernetes.io/deletion-secret-namespace': 'storage',
    };
    const content = storedContent('b1', handle);
    const metadata = { ...content.metadata, annotations };
    await storeArchive(bench.memory, 'b1', [{ ...content, metadata }]);
    bench.cluster.csi.inject({ call: 'DeleteSnapshot', error: 'busy' });
    await expect(bench.delete('b1', { releaseTimeoutMs: 200 })).rejects.toMatchObject({
      code: 'SnapshotFailed',
    });
    const [name = ''] = await bench.contents();
    const temporary = await bench.cluster.get({ ...contents, name });
    expect(temporary?.metadata.annotations).toMatchObject(annotations);
  });

  it('are not those that its archive only met', async () => {
    await using bench = new DeletionBench();
    const handle = bench.addSnapshot('s');
    await storeDeletableBackup(bench.memory, { name: 'b1', handles: [] });
    await storeArchive(bench.memory, 'b1', [storedContent('another', handle)]);
    expect((await bench.delete('b1')).snapshots).toEqual([]);
    expect(bench.handles).toEqual([handle]);
  });

  it('are kept while another backup refers to them, and freed with the last', async () => {
    await using bench = new DeletionBench();
    const [shared = ''] = await bench.addBackup('b1');
    const own = bench.addSnapshot('own');
    await storeDeletableBackup(bench.memory, { name: 'copy', handles: [shared, own] });
    const first = await bench.delete('b1');
    expect(first.snapshots).toMatchObject([{ state: 'shared', sharedWith: ['copy'] }]);
    expect(first.issues).toMatchObject([{ severity: 'warning', reason: 'SnapshotShared' }]);
    expect(bench.handles).toEqual([shared, own]);
    expect(await bench.keys('backups/b1/')).toEqual([]);
    await bench.delete('copy');
    expect(bench.handles).toEqual([]);
  });

  it('are kept when a copy of an old backup lists them under the name of the original', async () => {
    await using bench = new DeletionBench();
    const [shared = ''] = await bench.addBackup('b1');
    await storeDeletableBackup(bench.memory, { name: 'copy', handles: [] });
    await bench.memory.delete(backupKey('copy', 'volumeInfo'));
    const listed = [storedContent('b1', shared)];
    await putArtifact(bench.memory, 'copy', 'csiVolumeSnapshotContents', listed);
    await bench.delete('b1');
    expect(bench.handles).toEqual([shared]);
  });

  it('are none of those of the same handle of another driver', async () => {
    await using bench = new DeletionBench();
    const [handle = ''] = await bench.addBackup('b1');
    await storeDeletableBackup(bench.memory, { name: 'other', handles: [] });
    await putArtifact(bench.memory, 'other', 'volumeInfo', [snapshotInfo(handle, 'other.example')]);
    expect((await bench.delete('b1')).snapshots).toMatchObject([{ state: 'released' }]);
  });

  it('are looked for in the archive of another backup whose small files are damaged', async () => {
    await using bench = new DeletionBench();
    const [shared = ''] = await bench.addBackup('b1');
    await storeDeletableBackup(bench.memory, { name: 'copy', handles: [shared] });
    await bench.memory.put(backupKey('copy', 'volumeInfo'), Buffer.from('damaged'));
    expect((await bench.delete('b1')).snapshots).toMatchObject([{ state: 'shared' }]);
    await bench.addBackup('b1');
    await bench.memory.put(backupKey('copy', 'archive'), Buffer.from('damaged'));
    await expect(bench.delete('b1')).rejects.toMatchObject({
      code: 'CorruptBackup',
      message: expect.stringMatching(/backup copy cannot be read and may refer to it/) as string,
    });
  });
});

describe('what stands for a freed snapshot in the cluster', () => {
  it("goes if Velero or Lifeboat labelled it, and stays if it is somebody else's", async () => {
    await using bench = new DeletionBench();
    const [handle = ''] = await bench.addBackup('b1');
    const other = bench.addSnapshot('other');
    bench.keepContent('recreated', handle, { 'velero.io/backup-name': 'b1' });
    bench.keepContent('restored', handle, { 'velero.io/restore-name': 'r1' });
    bench.keepContent('kept', handle, { 'lifeboat.dev/run': 'run' });
    bench.keepContent('private', handle, {});
    bench.keepContent('of-another-snapshot', other, { 'velero.io/backup-name': 'b1' });
    await bench.delete('b1');
    expect(await bench.contents()).toEqual(['of-another-snapshot', 'private']);
    expect(bench.handles).toEqual([other]);
  });

  it('stays with a snapshot that is shared', async () => {
    await using bench = new DeletionBench();
    const [handle = ''] = await bench.addBackup('b1');
    await storeDeletableBackup(bench.memory, { name: 'copy', handles: [handle] });
    bench.keepContent('recreated', handle, { 'velero.io/backup-name': 'b1' });
    await bench.delete('b1');
    expect(await bench.contents()).toEqual(['recreated']);
  });
});

describe('a deletion that is refused', () => {
  it('because the store is read-only, before a snapshot is freed', async () => {
    await using bench = new DeletionBench();
    await bench.addBackup('b1');
    const store = readonlyObjectStore(bench.memory);
    const deleted = deleteBackup(dependenciesOf(bench.cluster, store, bench.clock), 'b1');
    await expect(deleted).rejects.toMatchObject({ code: 'PermissionDenied' });
    expect(bench.handles).toHaveLength(1);
    expect(bench.cluster.requests).toEqual([]);
  });

  it('because files may be written and not deleted, before a snapshot is freed', async () => {
    await using bench = new DeletionBench();
    await bench.addBackup('b1');
    const keys = await bench.keys();
    bench.store.inject({ operation: 'delete', error: 'PermissionDenied', times: Infinity });
    await expect(bench.delete('b1')).rejects.toMatchObject({ code: 'PermissionDenied' });
    expect(bench.handles).toHaveLength(1);
    expect(await bench.keys()).toEqual(keys);
  });

  it.each([
    { lock: { legalHold: true }, message: 'by a legal hold' },
    {
      lock: { retention: { mode: 'compliance', until: new Date('2999-01-01') } },
      message: 'until 2999-01-01T00:00:00.000Z',
    },
  ] as const)('because a file is kept $message', async ({ lock, message }) => {
    await using bench = new DeletionBench();
    await bench.addBackup('b1');
    const store = Object.assign(bench.memory, { getLock: async () => lock });
    const deleted = deleteBackup(dependenciesOf(bench.cluster, store, bench.clock), 'b1');
    await expect(deleted).rejects.toMatchObject({
      code: 'Retained',
      message: expect.stringContaining(message) as string,
    });
    expect(bench.handles).toHaveLength(1);
  });

  it.each(['PermissionDenied', 'InvalidConfig'] as const)(
    'is not, because the locks cannot be seen (%s)',
    async (code) => {
      await using bench = new DeletionBench();
      await bench.addBackup('b1');
      const getLock = (): Promise<never> =>
        Promise.reject(new ObjectStoreError('locks', { code, operation: 'ObjectStore.getLock' }));
      const store = Object.assign(bench.memory, { getLock });
      await deleteBackup(dependenciesOf(bench.cluster, store, bench.clock), 'b1');
      expect(await bench.keys()).toEqual([]);
    },
  );

  it('because a lock has ended it is not', async () => {
    await using bench = new DeletionBench();
    await bench.addBackup('b1');
    const retention = { mode: 'compliance', until: new Date('2001-01-01') } as const;
    const store = Object.assign(bench.memory, { getLock: async () => ({ retention }) });
    await deleteBackup(dependenciesOf(bench.cluster, store, bench.clock), 'b1');
    expect(await bench.keys()).toEqual([]);
  });

  it.each([
    { what: 'its volume information is damaged', damaged: 'volumeInfo', missing: undefined },
    {
      what: 'only a damaged archive names its snapshots',
      damaged: 'archive',
      missing: 'volumeInfo',
    },
  ] as const)('because $what', async ({ damaged, missing }) => {
    await using bench = new DeletionBench();
    await bench.addBackup('b1');
    await bench.memory.put(backupKey('b1', damaged), Buffer.from('damaged'));
    if (missing !== undefined) {
      await bench.memory.delete(backupKey('b1', missing));
    }
    await expect(bench.delete('b1')).rejects.toMatchObject({
      code: 'CorruptBackup',
      message: expect.stringContaining('catalog.delete deletes its files') as string,
    });
    expect(bench.handles).toHaveLength(1);
  });

  it('is not, because the archive is damaged while the volume information is sound', async () => {
    await using bench = new DeletionBench();
    await bench.addBackup('b1');
    await bench.memory.put(backupKey('b1', 'archive'), Buffer.from('damaged'));
    const { issues } = await bench.delete('b1');
    expect(issues).toMatchObject([{ severity: 'warning', reason: 'ArchiveUnreadable' }]);
    expect(bench.handles).toEqual([]);
    expect(await bench.keys()).toEqual([]);
  });

  it.each([
    { file: 'volumeInfo', entry: { snapshotDataMoved: true }, what: 'moved into a kopia' },
    { file: 'podVolumeBackups', entry: { status: { snapshotID: 's' } }, what: 'file system' },
    {
      file: 'volumeSnapshots',
      entry: { status: { providerSnapshotID: 's' } },
      what: 'Velero plugin',
    },
  ] as const)('because only Velero can free its data: $what', async ({ file, entry, what }) => {
    await using bench = new DeletionBench();
    await storeDeletableBackup(bench.memory, { name: 'b1', handles: [] });
    await putArtifact(bench.memory, 'b1', file, [entry]);
    const keys = await bench.keys();
    await expect(bench.delete('b1')).rejects.toMatchObject({
      code: 'Unsupported',
      message: expect.stringContaining(what) as string,
    });
    expect(await bench.keys()).toEqual(keys);
    const { issues } = await bench.delete('b1', { leaveForeignData: true });
    expect(issues).toMatchObject([{ severity: 'warning', reason: 'ForeignDataLeft' }]);
    expect(await bench.keys()).toEqual([]);
  });
});

describe('a backup that is not complete', () => {
  const now = new Date('2026-01-02T00:00:00Z');

  async function unfinished(startTimestamp: string): Promise<DeletionBench> {
    const bench = new DeletionBench(new ManualClock(now));
    const claim = JSON.stringify({ runId: 'run', startTimestamp, owner: 'lifeboat' });
    await bench.memory.put(claimKey('b1'), Buffer.from(claim));
    await bench.memory.put(backupKey('b1', 'logs'), Buffer.from('x'));
    return bench;
  }

  it('is refused while its run may be at work, unless its run is said to be dead', async () => {
    await using bench = await unfinished('2026-01-01T12:00:00Z');
    await expect(bench.delete('b1')).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('begun 2026-01-01T12:00:00.000Z') as string,
    });
    expect(await bench.keys()).toHaveLength(2);
    await bench.delete('b1', { assumeDeadAfterMs: 12 * 3_600_000 });
    expect(await bench.keys()).toEqual([]);
  });

  it('is deleted a day later', async () => {
    await using bench = await unfinished('2026-01-01T00:00:00Z');
    await bench.delete('b1');
    expect(await bench.keys()).toEqual([]);
  });

  it('is refused when its claim does not say how old it is', async () => {
    await using bench = await unfinished('');
    await expect(bench.delete('b1')).rejects.toMatchObject({ code: 'Conflict' });
    await bench.delete('b1', { assumeDeadAfterMs: 0 });
    expect(await bench.keys()).toEqual([]);
  });

  it('is deleted at once when its deletion had begun', async () => {
    await using marked = await unfinished('2026-01-01T23:59:59Z');
    await marked.memory.put(deletionMarkKey('b1'), Buffer.from('{}'));
    await marked.delete('b1');
    expect(await marked.keys()).toEqual([]);
    await using claimed = await unfinished('2026-01-01T23:59:59Z');
    const claim = { purpose: 'delete', startTimestamp: '2026-01-01T23:59:59Z' };
    await claimed.memory.put(claimKey('b1'), Buffer.from(JSON.stringify(claim)));
    await claimed.delete('b1');
    expect(await claimed.keys()).toEqual([]);
  });

  it.each(['InProgress', 'Finalizing', 'WaitingForPluginOperations'] as const)(
    'is refused while Velero has it in phase %s',
    async (phase) => {
      await using bench = new DeletionBench(new ManualClock(now));
      const status = { phase, startTimestamp: '2026-01-01T12:00:00Z' };
      await storeDeletableBackup(bench.memory, { name: 'b1', handles: [], status });
      await expect(bench.delete('b1')).rejects.toMatchObject({ code: 'Conflict' });
      await bench.delete('b1', { assumeDeadAfterMs: 1 });
      expect(await bench.keys()).toEqual([]);
    },
  );

  it('is deleted when its description is damaged', async () => {
    await using bench = new DeletionBench();
    await bench.addBackup('b1');
    await bench.memory.put(backupKey('b1', 'backup'), Buffer.from('damaged'));
    await bench.delete('b1');
    expect(await bench.keys()).toEqual([]);
    expect(bench.handles).toEqual([]);
  });
});

describe('a snapshot that cannot be freed', () => {
  it('keeps the backup in the catalog, does not keep the others, and is freed by a repeated call', async () => {
    await using bench = new DeletionBench();
    await bench.addBackup('b1', 3);
    bench.cluster.csi.inject({ call: 'DeleteSnapshot', error: 'busy', times: 1 });
    bench.cluster.faults.inject({ operation: 'create', error: 'Forbidden', times: 1 });
    const events: DeletionEvent[] = [];
    const deleted = bench.delete('b1', { onEvent: (event) => events.push(event) });
    await expect(deleted).rejects.toMatchObject({
      code: 'SnapshotFailed',
      retryable: true,
      message: expect.stringMatching(/backup b1 is not deleted.*Forbidden/) as string,
    });
    expect(events).toContainEqual(expect.objectContaining({ state: 'Failed' }));
    expect(bench.handles).toHaveLength(1);
    const left = await bench.keys();
    expect(left).toContain(backupKey('b1', 'backup'));
    expect(left).toContain(deletionMarkKey('b1'));
    await bench.delete('b1');
    expect(bench.handles).toEqual([]);
    expect(await bench.keys()).toEqual([]);
  });

  it('is gone on with at once by a repeated call, with the content that is left', async () => {
    await using bench = new DeletionBench();
    await bench.addBackup('b1');
    const fault = bench.cluster.csi.inject({ call: 'DeleteSnapshot', error: 'busy' });
    const options = { releaseTimeoutMs: 100 };
    await expect(bench.delete('b1', options)).rejects.toMatchObject({ code: 'SnapshotFailed' });
    await expect(bench.delete('b1', options)).rejects.toMatchObject({ code: 'SnapshotFailed' });
    expect(await bench.contents()).toHaveLength(1);
    fault[Symbol.dispose]();
    await bench.delete('b1');
    expect(bench.handles).toEqual([]);
    expect(await bench.contents()).toEqual([]);
  });
});

it('two deletions of one backup at a time both succeed', async () => {
  await using bench = new DeletionBench();
  await bench.addBackup('b1', 4);
  await Promise.all([bench.delete('b1'), bench.delete('b1')]);
  expect(bench.handles).toEqual([]);
  expect(await bench.keys()).toEqual([]);
  expect(await bench.contents()).toEqual([]);
});

it('an aborted deletion rejects with the reason, leaves no object, and can be repeated', async () => {
  await using bench = new DeletionBench();
  await bench.addBackup('b1', 3);
  const stop = new AbortController();
  const reason = new Error('enough');
  bench.cluster.faults.inject({ operation: 'watch', delayMs: 20 });
  const deleted = bench.delete('b1', {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'phase' && event.phase === 'ReleasingSnapshots') {
        void setImmediate().then(() => stop.abort(reason));
      }
    },
  });
  await expect(deleted).rejects.toBe(reason);
  expect(await bench.contents()).toEqual([]);
  expect(await bench.keys()).toContain(backupKey('b1', 'backup'));
  bench.cluster.faults.clear();
  await bench.delete('b1');
  expect(bench.handles).toEqual([]);
});
