import { expect, it } from 'vitest';
import { describeObjects } from './objects-summary.ts';
import type { ObjectsFigures } from './report-figures.ts';

const figures = (ms: number, peakMiB: number): ObjectsFigures => ({
  ...{ ms, cpuMs: ms / 2, objects: 10, requests: 4, connections: 1, peakMiB },
});

it('holds the medians of the rounds against the targets', () => {
  const floor = [figures(1_000, 80), figures(9_000, 90), figures(1_000, 85)];
  const file = { kind: 'file', semiSpaceMiB: undefined, floor } as const;
  const s3 = { kind: 's3', floor } as const;
  const report = describeObjects(
    [
      { count: 10, ...file, engine: [1, 2, 3].map(() => figures(1_400, 100)) },
      { count: 60, ...file, engine: [1, 2, 3].map(() => figures(1_600, 119)) },
      { count: 10, ...s3, semiSpaceMiB: undefined, engine: [figures(1_200, 200)] },
      { count: 60, ...s3, semiSpaceMiB: undefined, engine: [figures(1_200, 241)] },
      { count: 10, ...s3, semiSpaceMiB: 8, engine: [figures(1_200, 190)] },
      { count: 60, ...s3, semiSpaceMiB: 8, engine: [figures(1_200, 209)] },
      { count: 60, ...file, kind: 'plan', floor: [], engine: [figures(500, 70)] },
    ],
    1.25,
  );
  expect(report.split('\n').slice(2)).toEqual([
    '| 10 | file |  | 1.0 s | 1.4 s | 1.40 | 1.40 | 85, 100 MiB | 4, 4 | 1, 1 |',
    '| 60 | file |  | 1.0 s | 1.6 s | 1.60 | 1.60 | 85, 119 MiB | 4, 4 | 1, 1 |',
    '| 10 | s3 |  | 1.0 s | 1.2 s | 1.20 | 1.20 | 85, 200 MiB | 4, 4 | 1, 1 |',
    '| 60 | s3 |  | 1.0 s | 1.2 s | 1.20 | 1.20 | 85, 241 MiB | 4, 4 | 1, 1 |',
    '| 10 | s3 | 8 MiB | 1.0 s | 1.2 s | 1.20 | 1.20 | 85, 190 MiB | 4, 4 | 1, 1 |',
    '| 60 | s3 | 8 MiB | 1.0 s | 1.2 s | 1.20 | 1.20 | 85, 209 MiB | 4, 4 | 1, 1 |',
    '| 60 | plan |  |  | 0.5 s |  |  | 70 MiB | 4 | 1 |',
    '',
    'highest ratio: 1.60, target at most 1.5: missed',
    'growth of memory, file: 1.19, target at most 1.2: met',
    'highest memory, file: 119.00, target at most 220: met',
    'growth of memory, s3: 1.21, target at most 1.2: missed',
    'highest memory, s3: 241.00, target at most 220: missed',
    'growth of memory, s3, semi-space 8 MiB: 1.10, target at most 1.2: met',
    'highest memory, s3, semi-space 8 MiB: 209.00, target at most 220: met',
    'load average: 1.3',
  ]);
});
