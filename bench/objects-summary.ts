import type { ObjectsFigures } from './report-figures.ts';
import { median } from './summary.ts';

/** The rounds of one number of objects and one store; a plan has no floor. */
export interface ObjectsSeries {
  readonly count: number;
  readonly kind: 'file' | 's3' | 'plan';
  /** What the space for new objects was bounded to, each half of it; `undefined` when the processes ran as they come. */
  readonly semiSpaceMiB: number | undefined;
  readonly floor: readonly ObjectsFigures[];
  readonly engine: readonly ObjectsFigures[];
}

/** A backup takes at most this many times the floor. */
export const mostTimesFloor: number = 1.5;
/** The highest memory of the most objects is at most this many times that of the fewest. */
export const mostMemoryGrowth: number = 1.2;
/** And below this. */
export const mostPeakMiB: number = 220;

/** Lays the figures out, and holds them against the targets. */
export function describeObjects(series: readonly ObjectsSeries[], load: number): string {
  const rows = series.map(({ count, kind, semiSpaceMiB, floor, engine }) => {
    const ours = medians(engine);
    const bare = floor.length === 0 ? undefined : medians(floor);
    return [
      ...[String(count), kind, semiSpaceMiB === undefined ? '' : `${semiSpaceMiB} MiB`],
      ...[bare === undefined ? '' : seconds(bare.ms), seconds(ours.ms)],
      bare === undefined ? '' : (ours.ms / bare.ms).toFixed(2),
      bare === undefined ? '' : (ours.cpuMs / bare.cpuMs).toFixed(2),
      `${bare === undefined ? '' : `${Math.round(bare.peakMiB)}, `}${Math.round(ours.peakMiB)} MiB`,
      `${bare === undefined ? '' : `${bare.requests}, `}${ours.requests}`,
      `${bare === undefined ? '' : `${bare.connections}, `}${ours.connections}`,
    ];
  });
  const header = [
    'objects',
    'to',
    'semi-space',
    'floor',
    'ours',
    'ratio',
    'of CPU time',
    'peak RSS',
    'requests',
    'connections',
  ];
  return [
    `| ${header.join(' | ')} |`,
    `| ${header.map(() => '---').join(' | ')} |`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
    ...verdicts(series),
    `load average: ${load.toFixed(1)}`,
  ].join('\n');
}

function verdicts(series: readonly ObjectsSeries[]): readonly string[] {
  const backups = series.filter(({ floor }) => floor.length > 0);
  const ratio = Math.max(
    ...backups.map(({ floor, engine }) => medians(engine).ms / medians(floor).ms),
  );
  const groups = Map.groupBy(backups, ({ kind, semiSpaceMiB }) =>
    semiSpaceMiB === undefined ? kind : `${kind}, semi-space ${semiSpaceMiB} MiB`,
  );
  return [
    verdict('highest ratio', ratio, mostTimesFloor),
    ...Array.from(groups, ([name, group]) => memoryVerdicts(name, group)).flat(),
  ];
}

function memoryVerdicts(name: string, group: readonly ObjectsSeries[]): readonly string[] {
  const peaks = group.map(({ engine }) => medians(engine).peakMiB);
  const highest = Math.max(...peaks);
  return [
    verdict(`growth of memory, ${name}`, highest / Math.min(...peaks), mostMemoryGrowth),
    verdict(`highest memory, ${name}`, highest, mostPeakMiB),
  ];
}

function verdict(what: string, figure: number, most: number): string {
  return `${what}: ${figure.toFixed(2)}, target at most ${most}: ${figure <= most ? 'met' : 'missed'}`;
}

function medians(figures: readonly ObjectsFigures[]): ObjectsFigures {
  const of = (key: keyof ObjectsFigures): number => median(figures.map((one) => one[key]));
  return {
    ...{ ms: of('ms'), cpuMs: of('cpuMs'), objects: of('objects') },
    ...{ requests: of('requests'), connections: of('connections'), peakMiB: of('peakMiB') },
  };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
