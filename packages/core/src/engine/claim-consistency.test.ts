import { expect, it } from 'vitest';
import { freezing, HookLab } from './hook-lab-fixture.ts';
import { names, VolumeGroupLab } from './volume-group-lab-fixture.ts';

const request = { name: 'first', spec: { includedNamespaces: ['shop'] } };
const pre = 'pre.hook.backup.velero.io';

it('a backup tells which claims were snapshotted while their application stood still', async () => {
  await using lab = await HookLab.open([
    {
      name: 'careless',
      claims: ['c'],
      annotations: { ...freezing, [`${pre}/on-error`]: 'Continue' },
    },
    { name: 'cold', claims: ['b'], annotations: { 'post.hook.backup.velero.io/command': 'thaw' } },
    { name: 'db', claims: ['a', 'shared'], annotations: freezing },
    { name: 'plain', claims: ['p', 'shared'] },
  ]);
  lab.play = (command, pod) =>
    pod === 'careless' && command === 'freeze' ? { exitCode: 1 } : undefined;
  await lab.engine.backup(request);
  const claims = [
    { namespace: 'shop', claimName: 'a', level: 'application' },
    { namespace: 'shop', claimName: 'b', level: 'crash' },
    { namespace: 'shop', claimName: 'c', level: 'crash' },
    { namespace: 'shop', claimName: 'p', level: 'crash' },
    { namespace: 'shop', claimName: 'shared', level: 'crash' },
  ];
  expect(await lab.engine.catalog.getConsistency('first')).toEqual(claims);
  expect((await lab.engine.verify('first')).claims).toEqual(claims);
});

it('a backup tells which claims share a moment', async () => {
  await using lab = await VolumeGroupLab.open();
  await lab.backup();
  expect(await lab.engine.catalog.getConsistency('first')).toEqual(
    names.map((claimName) => ({
      ...{ namespace: 'shop', claimName, level: 'crash', volumeGroup: 'db' },
    })),
  );
  await lab.backup({ groupSnapshots: 'never' }, 'second');
  expect(await lab.engine.catalog.getConsistency('second')).toEqual(
    names.map((claimName) => ({ namespace: 'shop', claimName, level: 'crash' })),
  );
});

it('a backup without a manifest does not tell, and one that is missing is not found', async () => {
  await using lab = await HookLab.open([{ name: 'db', claims: ['a'] }]);
  await lab.engine.backup(request);
  await lab.store.delete('backups/first/lifeboat-manifest.json');
  expect(await lab.engine.catalog.getConsistency('first')).toBeUndefined();
  await expect(lab.engine.catalog.getConsistency('gone')).rejects.toMatchObject({
    code: 'NotFound',
  });
});
