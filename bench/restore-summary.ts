import type { ObjectsFigures } from './report-figures.ts';
import { median } from './summary.ts';

/** What one round took. */
export interface RestoreRound {
  /** The bare requests that create the objects. */
  readonly create: ObjectsFigures;
  /** The restore into new namespaces. */
  readonly restore: ObjectsFigures;
  /** The bare lists of the objects, and the unpacking of the archive. */
  readonly compare: ObjectsFigures;
  /** The restore onto the objects that are there then. */
  readonly again: ObjectsFigures;
}

/** A restore into new namespaces takes at most this many times the bare requests. */
export const mostTimesCreating: number = 1.3;
/** A restore onto equal objects takes at most this many times what lists and unpacks. */
export const mostTimesComparing: number = 1.5;
/** A restore into new namespaces sends at most this many requests for each object. */
export const mostRequestsPerObject: number = 1.2;
/** The resident memory of either is below this. */
export const mostRestorePeakMiB: number = 220;

/** Lays the medians of the rounds out, and holds them against the targets. */
export function describeRestores(
  count: number,
  concurrency: number,
  rounds: readonly RestoreRound[],
  load: number,
): string {
  const created = pairOf(rounds, 'create', 'restore');
  const compared = pairOf(rounds, 'compare', 'again');
  const header = ['objects', 'onto', 'floor', 'ours', 'ratio', 'of CPU time', 'peak RSS'];
  const columns = [...header, 'requests', 'requests per object'];
  const peakMiB = Math.max(created.peakMiB, compared.peakMiB);
  return [
    `| ${columns.join(' | ')} |`,
    `| ${columns.map(() => '---').join(' | ')} |`,
    `| ${count} | nothing | ${created.cells.join(' | ')} |`,
    `| ${count} | equal objects | ${compared.cells.join(' | ')} |`,
    '',
    verdict('onto nothing, ratio', created.ratio, mostTimesCreating),
    verdict('onto equal objects, ratio', compared.ratio, mostTimesComparing),
    verdict('requests per object', created.requestsPerObject, mostRequestsPerObject),
    verdict('highest memory', peakMiB, mostRestorePeakMiB),
    `bare requests at a time: ${concurrency}`,
    `load average: ${load.toFixed(1)}`,
  ].join('\n');
}

interface Pair {
  readonly cells: readonly string[];
  readonly ratio: number;
  readonly requestsPerObject: number;
  readonly peakMiB: number;
}

function pairOf(
  rounds: readonly RestoreRound[],
  floor: keyof RestoreRound,
  ours: keyof RestoreRound,
): Pair {
  const of = (contender: keyof RestoreRound, figure: keyof ObjectsFigures): number =>
    median(rounds.map((round) => round[contender][figure]));
  const ratio = of(ours, 'ms') / of(floor, 'ms');
  const ofCpu = of(ours, 'cpuMs') / of(floor, 'cpuMs');
  const requestsPerObject = of(ours, 'requests') / of(ours, 'objects');
  const peakMiB = of(ours, 'peakMiB');
  const cells = [
    ...[seconds(of(floor, 'ms')), seconds(of(ours, 'ms')), ratio.toFixed(2)],
    `${seconds(of(floor, 'cpuMs'))}, ${seconds(of(ours, 'cpuMs'))}: ${ofCpu.toFixed(2)}`,
    `${Math.round(of(floor, 'peakMiB'))}, ${Math.round(peakMiB)} MiB`,
    `${of(floor, 'requests')}, ${of(ours, 'requests')}`,
    requestsPerObject.toFixed(3),
  ];
  return { cells, ratio, requestsPerObject, peakMiB };
}

function verdict(what: string, figure: number, most: number): string {
  return `${what}: ${figure.toFixed(2)}, target at most ${most}: ${figure <= most ? 'met' : 'missed'}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
