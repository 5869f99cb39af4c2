import { median } from './summary.ts';
import type { Usage } from './velero-contenders.ts';

/** What one contender took for one piece of work in one round. */
export interface VeleroFigures extends Usage {
  readonly work: string;
  readonly contender: string;
  /** To the API server, by whomever. */
  readonly requests: number;
}

const ours = 'Lifeboat';

/** The table of medians, with how many times Lifeboat's each is. */
export function describeVelero(figures: readonly VeleroFigures[], load: number): string {
  const lines = [
    '| work | contender | seconds | CPU seconds | peak MiB | API requests | times the time of Lifeboat |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const work of new Set(figures.map((one) => one.work))) {
    const rows = figures.filter((one) => one.work === work);
    const medianOf = (contender: string, of: (one: VeleroFigures) => number): number =>
      median(rows.filter((one) => one.contender === contender).map(of));
    const others = new Set(rows.map((one) => one.contender).toSorted());
    for (const contender of new Set([ours, ...others])) {
      const ms = medianOf(contender, (one) => one.ms);
      const cells = [
        ...[work, contender, (ms / 1_000).toFixed(1)],
        (medianOf(contender, ({ cpuMs }) => cpuMs) / 1_000).toFixed(1),
        medianOf(contender, ({ peakMiB }) => peakMiB).toFixed(0),
        medianOf(contender, ({ requests }) => requests).toFixed(0),
        (ms / medianOf(ours, (one) => one.ms)).toFixed(1),
      ];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  return [...lines, '', `load of the machine at the end: ${load.toFixed(1)}`].join('\n');
}
