import { readdir, readFile } from 'node:fs/promises';

/** Clock ticks in a second: what /proc counts in, on every Linux that Node.js runs on. */
const ticksPerSecond = 100;
const pageKiB = 4;

/** A process and all that it has started. */
export interface ProcessTree {
  /** Of the process, of those that it has waited for, and of those that live. */
  readonly cpuMs: number;
  /** Resident memory of those that live, each as if it shared nothing. */
  readonly residentMiB: number;
}

/** Reads what a tree of processes has used, from /proc (proc(5)). What ends meanwhile counts as nothing. */
export async function readProcessTree(root: number): Promise<ProcessTree> {
  const all = new Map<number, Stat>();
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await statOf(name) : undefined;
    if (stat !== undefined) all.set(Number(name), stat);
  }
  const tree: Stat[] = [];
  const pending = [root];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    const stat = all.get(pid);
    if (stat === undefined) continue;
    tree.push(stat);
    for (const [child, { parent }] of all) {
      if (parent === pid) pending.push(child);
    }
  }
  const sum = (of: (stat: Stat) => number): number =>
    tree.reduce((total, stat) => total + of(stat), 0);
  return {
    cpuMs: (sum(({ ticks }) => ticks) * 1_000) / ticksPerSecond,
    residentMiB: (sum(({ pages }) => pages) * pageKiB) / 1_024,
  };
}

interface Stat {
  readonly parent: number;
  readonly ticks: number;
  readonly pages: number;
}

async function statOf(pid: string): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The name in the second field may hold blanks.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    parent: field(4),
    ticks: field(14) + field(15) + field(16) + field(17),
    pages: field(24),
  };
}
