import { expect, it } from 'vitest';
import { intoAnotherCluster, intoAnotherNamespace, roundTrip } from './round-trip-differences.ts';
import { ZooScene } from './zoo-scene.ts';

it('an application of every common kind comes back as it was, in another cluster, in other namespaces, and in its place', {
  timeout: 600_000,
}, async (context) => {
  const scene = await ZooScene.open(context);
  const { backup, issues } = await scene.backUp();
  expect(backup.status.phase).toBe('Completed');
  expect(issues.map(({ reason, object }) => `${reason} ${object?.name}`).sort()).toEqual([
    'ClaimNotBound unbound',
    'NotACsiVolume static-claim',
  ]);

  const elsewhere = await scene.restore({
    cluster: 2,
    explained: [...roundTrip, ...intoAnotherCluster],
  });
  expect(elsewhere).toEqual({ issues: [], unexplained: [], outdated: [] });
  await scene.expectData({ cluster: 2 });

  await scene.destroy();
  const copy = await scene.restore({
    suffix: '-copy',
    explained: [...roundTrip, ...intoAnotherNamespace],
  });
  expect(copy).toEqual({ issues: [], unexplained: [], outdated: [] });
  await scene.expectData({ suffix: '-copy' });

  await scene.destroy('-copy');
  const back = await scene.restore({ explained: roundTrip });
  expect(back).toEqual({ issues: [], unexplained: [], outdated: [] });
  await scene.expectData();
});
