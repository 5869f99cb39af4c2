import { expect, it } from 'vitest';
import type { ObjectsFigures } from './report-figures.ts';
import { describeRestores, type RestoreRound } from './restore-summary.ts';

const figures = (ms: number, requests: number, peakMiB: number): ObjectsFigures => ({
  ...{ ms, cpuMs: ms / 2, objects: 10, requests, connections: 1, peakMiB },
});

it('holds the medians of the rounds against the targets', () => {
  const rounds = [1_000, 9_000, 1_000].map(
    (ms): RestoreRound => ({
      create: figures(ms, 10, 300),
      restore: figures(1_300, 13, 221),
      compare: figures(ms, 4, 90),
      again: figures(1_600, 5, 100),
    }),
  );
  expect(describeRestores(10, 16, rounds, 1.25).split('\n').slice(2)).toEqual([
    '| 10 | nothing | 1.0 s | 1.3 s | 1.30 | 0.5 s, 0.7 s: 1.30 | 300, 221 MiB | 10, 13 | 1.300 |',
    '| 10 | equal objects | 1.0 s | 1.6 s | 1.60 | 0.5 s, 0.8 s: 1.60 | 90, 100 MiB | 4, 5 | 0.500 |',
    '',
    'onto nothing, ratio: 1.30, target at most 1.3: met',
    'onto equal objects, ratio: 1.60, target at most 1.5: missed',
    'requests per object: 1.30, target at most 1.2: missed',
    'highest memory: 221.00, target at most 220: missed',
    'bare requests at a time: 16',
    'load average: 1.3',
  ]);
});
