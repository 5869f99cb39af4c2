import { subscribe } from 'node:diagnostics_channel';

/** What one piece of work took. */
export interface ObjectsFigures {
  readonly ms: number;
  /** Of all threads of the process meanwhile. */
  readonly cpuMs: number;
  readonly objects: number;
  /** Requests to the API server, and the connections they took. */
  readonly requests: number;
  readonly connections: number;
  /** Of the process, from its start. */
  readonly peakMiB: number;
}

/** Does the work of a child process, prints what it took as JSON, and ends the process. */
export async function reportFigures(run: () => Promise<number>): Promise<never> {
  const counts = { requests: 0, connections: 0 };
  subscribe('undici:request:create', () => {
    counts.requests += 1;
  });
  subscribe('undici:client:connected', () => {
    counts.connections += 1;
  });
  const started = performance.now();
  const cpuBefore = process.cpuUsage();
  const objects = await run();
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuMs = (user + system) / 1_000;
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ ms, cpuMs, objects, ...counts, peakMiB } satisfies ObjectsFigures));
  process.exit();
}
