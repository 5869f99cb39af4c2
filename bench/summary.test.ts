import { expect, it } from 'vitest';
import { memoryResult, tableOf, throughputResult } from './summary.ts';

it.each([
  { sdkMs: [100], adapterMs: [100], figure: '1.00', meetsTarget: true },
  { sdkMs: [90, 9_000, 90], adapterMs: [100, 100, 1], figure: '0.90', meetsTarget: true },
  { sdkMs: [80, 90], adapterMs: [100, 100], figure: '0.85', meetsTarget: false },
])('the ratio of the medians $sdkMs and $adapterMs is $figure', (times) => {
  const { figure, meetsTarget } = times;
  expect(throughputResult('s3', 'put', times)).toMatchObject({ figure, meetsTarget });
});

it.each([
  { peakMiB: 219, figure: '+119 MiB', meetsTarget: true },
  { peakMiB: 220, figure: '+120 MiB', meetsTarget: false },
])('a peak of $peakMiB MiB over 100 MiB is $figure', ({ peakMiB, ...expected }) => {
  expect(memoryResult('s3', 'put', { idleMiB: 100, peakMiB })).toMatchObject(expected);
});

it('lays the results out in columns', () => {
  const results = [
    throughputResult('s3', 'put', { sdkMs: [80], adapterMs: [100] }),
    memoryResult('gcs', 'stream', { idleMiB: 80, peakMiB: 120.4 }),
  ];
  expect(tableOf(results)).toBe(
    [
      '| store | work   | SDK   | adapter      | ratio or memory | target |',
      '| ----- | ------ | ----- | ------------ | --------------- | ------ |',
      '| s3    | put    | 80 ms | 100 ms       | 0.80            | missed |',
      '| gcs   | stream |       | 80 → 120 MiB | +40 MiB         | met    |',
    ].join('\n'),
  );
});
