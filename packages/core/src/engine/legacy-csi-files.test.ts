import { expect, it } from 'vitest';
import { readArtifact, readArtifactList } from '../catalog/backup-files.ts';
import { Resources } from '../model/resources.ts';
import { HookLab } from './hook-lab-fixture.ts';

const request = { name: 'first', spec: { includedNamespaces: ['shop'] } };
const artifacts = [
  'csiVolumeSnapshots',
  'csiVolumeSnapshotContents',
  'csiVolumeSnapshotClasses',
] as const;

async function keysOf(lab: HookLab): Promise<readonly string[]> {
  return (await Array.fromAsync(lab.store.list(''))).map(({ key }) => key);
}

it('the files of older versions hold the snapshot objects as lists do, and go with the backup', async () => {
  await using lab = await HookLab.open([{ name: 'db', claims: ['data', 'logs'] }]);
  await lab.engine.backup(request, { legacyCsiFiles: true });
  const [snapshots = [], contents = [], classes = []] = await Promise.all(
    artifacts.map((artifact) => readArtifactList(lab.store, 'first', artifact)),
  );
  const handles = [...lab.cluster.csi.storage.snapshots.keys()].sort();
  expect(contents).toMatchObject(
    snapshots.map(({ metadata }) => ({
      metadata: { labels: { 'velero.io/backup-name': 'first' } },
      spec: {
        deletionPolicy: 'Retain',
        source: { snapshotHandle: expect.stringMatching(/./) as string },
        volumeSnapshotRef: { namespace: 'shop', name: (metadata as { name: string }).name },
      },
      status: { snapshotHandle: expect.stringMatching(/./) as string },
    })),
  );
  expect(
    contents.map(({ status }) => (status as { snapshotHandle: string }).snapshotHandle).sort(),
  ).toEqual(handles);
  expect(snapshots).toMatchObject(
    ['data', 'logs'].map((persistentVolumeClaimName) => ({
      metadata: {
        labels: { 'velero.io/backup-name': 'first' },
        annotations: { 'velero.io/csi-driver-name': expect.stringMatching(/./) as string },
      },
      spec: { source: { persistentVolumeClaimName } },
      status: { boundVolumeSnapshotContentName: expect.stringMatching(/./) as string },
    })),
  );
  expect(classes).toMatchObject([{ metadata: { name: 'fake-csi' }, deletionPolicy: 'Delete' }]);
  for (const entry of [...snapshots, ...contents, ...classes]) {
    expect(entry).not.toHaveProperty('kind');
    expect(entry).not.toHaveProperty('apiVersion');
  }
  expect(contents[0]).not.toHaveProperty('metadata.resourceVersion');

  expect(await lab.engine.verify('first')).toMatchObject({
    intact: true,
    issues: [],
    snapshots: 2,
  });
  lab.cluster.csi.writeFile({ namespace: 'shop', name: 'data' }, 'file', 'later');
  const { issues } = await lab.engine.restore({
    spec: { backupName: 'first', namespaceMapping: { shop: 'copy' } },
  });
  expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  const copies = lab.cluster.list(Resources.persistentVolumeClaims, { namespace: 'copy' });
  expect(await Array.fromAsync(copies)).toHaveLength(2);

  await lab.store.delete('backups/first/first-csi-volumesnapshotcontents.json.gz');
  expect(await lab.engine.verify('first')).toMatchObject({
    intact: false,
    issues: [{ reason: 'FileMissing' }],
  });
  await lab.engine.deleteBackup('first');
  expect(await keysOf(lab)).toEqual([]);
  expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
});

it('the files of older versions are empty as those of Velero are, and not written unasked', async () => {
  await using lab = await HookLab.open([{ name: 'web' }]);
  await lab.engine.backup(request, { legacyCsiFiles: true });
  for (const artifact of artifacts) {
    expect(await readArtifact(lab.store, 'first', artifact)).toBeNull();
  }
  await lab.engine.backup({ ...request, name: 'second' });
  expect((await keysOf(lab)).filter((key) => key.includes('second-csi'))).toEqual([]);
});
