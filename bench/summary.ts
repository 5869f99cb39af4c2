import type { Memory, Throughput } from './measure.ts';

/** One line of the report. */
export interface Result {
  /** What stores the objects: `s3`, `gcs` or `azure`. */
  readonly kind: string;
  readonly work: string;
  /** What the plain SDK took, as people read it; empty where only the adapter is measured. */
  readonly sdk: string;
  readonly adapter: string;
  /** What is held against the target. */
  readonly figure: string;
  readonly meetsTarget: boolean;
}

/** The adapter reaches at least this share of the plain SDK's throughput. */
export const leastRatio: number = 0.9;
/** A streaming put takes less than this above the idle process. */
export const mostMemoryMiB: number = 120;

export function throughputResult(
  kind: string,
  work: string,
  { sdkMs, adapterMs }: Throughput,
): Result {
  const [sdk, adapter] = [median(sdkMs), median(adapterMs)];
  // Throughput is the inverse of time.
  const ratio = sdk / adapter;
  return {
    kind,
    work,
    sdk: `${Math.round(sdk)} ms`,
    adapter: `${Math.round(adapter)} ms`,
    figure: ratio.toFixed(2),
    meetsTarget: ratio >= leastRatio,
  };
}

export function memoryResult(kind: string, work: string, { idleMiB, peakMiB }: Memory): Result {
  const aboveMiB = peakMiB - idleMiB;
  return {
    kind,
    work,
    sdk: '',
    adapter: `${Math.round(idleMiB)} → ${Math.round(peakMiB)} MiB`,
    figure: `+${Math.round(aboveMiB)} MiB`,
    meetsTarget: aboveMiB < mostMemoryMiB,
  };
}

/** Lays the results out as a table of Markdown. */
export function tableOf(results: readonly Result[]): string {
  const rows = [
    ['store', 'work', 'SDK', 'adapter', 'ratio or memory', 'target'],
    ...results.map(({ kind, work, sdk, adapter, figure, meetsTarget }) => [
      ...[kind, work, sdk, adapter, figure],
      meetsTarget ? 'met' : 'missed',
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const [header = '', ...lines] = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [header, rule, ...lines].join('\n');
}

/** The middle of some values, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}
