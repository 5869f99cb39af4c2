/** Whether a hook runs before or after the snapshots of its pod's volumes. Those of a restore are `post`. */
export type HookStage = 'pre' | 'post';

/** One hook of one pod. */
export interface HookCall {
  readonly stage: HookStage;
  readonly namespace: string;
  readonly podName: string;
  /** Empty when the pod has no such container, and none was asked for. */
  readonly containerName: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Name of the hook in `spec.hooks`; absent for one that the pod's annotations ask for. */
  readonly hookName?: string | undefined;
}

/** How a hook ended. */
export interface HookResult extends HookCall {
  readonly outcome: 'Succeeded' | 'Failed';
  /** Absent when the command did not end in time, or could not be run. */
  readonly exitCode?: number | undefined;
  /** Why it failed, for people. Never holds output. */
  readonly message?: string | undefined;
  readonly durationMs: number;
  /** The beginning of its output, as text. It may hold secrets: it is in no log and no file of the backup. */
  readonly stdout: string;
  readonly stderr: string;
  /** Whether there was more output than is kept. */
  readonly truncated: boolean;
}

/** A hook begins, or has ended. */
export type HookEvent =
  | { readonly type: 'hook'; readonly state: 'Started'; readonly hook: HookCall }
  | { readonly type: 'hook'; readonly state: 'Succeeded' | 'Failed'; readonly hook: HookResult };
