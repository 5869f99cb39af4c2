/** What a process took, from its start. */
export interface ProcessFigures {
  readonly cpuMs: number;
  readonly peakMiB: number;
}

/** Prints what a child process has taken as JSON, and ends it. */
export function reportProcess(): never {
  const { user, system } = process.cpuUsage();
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ cpuMs: (user + system) / 1_000, peakMiB } satisfies ProcessFigures));
  process.exit();
}
