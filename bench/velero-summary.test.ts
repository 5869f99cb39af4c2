import { expect, it } from 'vitest';
import { describeVelero, type VeleroFigures } from './velero-summary.ts';

function figures(contender: string, seconds: number): VeleroFigures {
  const cost = { cpuMs: 500, peakMiB: 100, requests: 20 };
  return { work: 'backup', contender, ms: seconds * 1_000, ...cost };
}

it('describeVelero gives the medians of each contender, and how many times that of Lifeboat', () => {
  const rounds = [1, 3, 2].map((seconds) => figures('Lifeboat', seconds));
  const text = describeVelero([figures('Velero, defaults', 30), ...rounds], 0.25);
  expect(text.split('\n').slice(2)).toEqual([
    '| backup | Lifeboat | 2.0 | 0.5 | 100 | 20 | 1.0 |',
    '| backup | Velero, defaults | 30.0 | 0.5 | 100 | 20 | 15.0 |',
    '',
    'load of the machine at the end: 0.3',
  ]);
});
