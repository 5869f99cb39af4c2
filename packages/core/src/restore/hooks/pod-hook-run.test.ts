import { beforeEach, expect, it } from 'vitest';
import { HookRunner } from '../../hooks/hook-runner.ts';
import { silentLogger } from '../../internal/silent-logger.ts';
import { Slots } from '../../internal/slots.ts';
import type { HookResult } from '../../model/hook.ts';
import type { Issue } from '../../model/issue.ts';
import type { JsonObject } from '../../model/json.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import type { ExecRequest, ExecResult } from '../../ports/pod-exec.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { PodHookRun } from './pod-hook-run.ts';
import type { WaitingHook } from './waiting-hook.ts';
import { WatchedPod } from './watched-pod.ts';

const hookWaitTimeoutMs = 60_000;
const never = new AbortController().signal;

let clock: ManualClock;
let watched: WatchedPod;
let commands: string[];
let results: HookResult[];
let issues: Issue[];
let play: (request: ExecRequest) => Promise<number> | number;

beforeEach(() => {
  clock = new ManualClock();
  watched = new WatchedPod(pod({}));
  commands = [];
  results = [];
  issues = [];
  play = () => 0;
});

/** The pod `db` with the containers `main` and `side`; those that are named have started, and are ready or not. */
function pod(
  started: Readonly<Record<string, boolean>>,
  status: JsonObject = {},
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db', namespace: 'copy', uid: 'pod-uid' },
    spec: { containers: [{ name: 'main' }, { name: 'side' }] },
    status: {
      containerStatuses: Object.entries(started).map(([name, ready]) => ({
        name,
        ready,
        state: { running: {} },
      })),
      ...status,
    },
  };
}

function hook(command: string, fields: Partial<WaitingHook> = {}): WaitingHook {
  return {
    stage: 'post',
    hookName: 'loader',
    containerName: undefined,
    command: [command],
    onError: 'Fail',
    timeoutMs: 30_000,
    waitTimeoutMs: undefined,
    waitForReady: false,
    ...fields,
  };
}

async function exec(request: ExecRequest): Promise<ExecResult> {
  commands.push(`${request.command[0]} in ${request.containerName}`);
  const exitCode = await play(request);
  return { exitCode, stdout: new Uint8Array(), stderr: new Uint8Array(), truncated: false };
}

function start(hooks: readonly WaitingHook[], signal: AbortSignal = never): Promise<void> {
  const record = {
    addHook: (result: HookResult) => void results.push(result),
    addIssue: (issue: Issue) => void issues.push(issue),
  };
  const podExec = { exec };
  const runner = new HookRunner({
    ...{ podExec, clock, record, logger: silentLogger, repeatsPostHooks: false },
    emit: () => undefined,
  });
  const options = { watched, podExec, runner, slots: new Slots(4), clock, record };
  return new PodHookRun(pod({}), hooks, { ...options, hookWaitTimeoutMs }).run(signal);
}

function messages(): readonly string[] {
  return issues.map(({ message }) => message);
}

it('the hooks of a container run in order once it has started', async () => {
  const run = start([hook('load'), hook('check')]);
  await clock.advance(1_000);
  expect(commands).toEqual([]);
  watched.see(pod({ side: true }));
  await clock.advance(1_000);
  expect(commands).toEqual([]);
  watched.see(pod({ main: false }));
  await run;
  expect(commands).toEqual(['load in main', 'check in main']);
  expect(results).toMatchObject([
    { outcome: 'Succeeded', podName: 'db', containerName: 'main', hookName: 'loader' },
    { outcome: 'Succeeded', command: ['check'] },
  ]);
  expect(issues).toEqual([]);
});

it('one hook that waits until the container is ready holds back all of that container, and no other', async () => {
  const run = start([
    hook('load'),
    hook('check', { waitForReady: true }),
    hook('serve', { containerName: 'side' }),
  ]);
  watched.see(pod({ main: false, side: false }));
  await clock.advance(1_000);
  expect(commands).toEqual(['serve in side']);
  watched.see(pod({ main: true, side: false }));
  await run;
  expect(commands).toEqual(['serve in side', 'load in main', 'check in main']);
});

it('a hook that fails and must not keeps the others of the pod from running', async () => {
  play = ({ command: [program] }) => (program === 'load' ? 3 : 0);
  watched.see(pod({ main: true }));
  await start([hook('load'), hook('check'), hook('serve', { containerName: 'side' })]);
  expect(commands).toEqual(['load in main']);
  expect(results.map(({ outcome, exitCode }) => [outcome, exitCode])).toEqual([
    ['Failed', 3],
    ['Failed', undefined],
    ['Failed', undefined],
  ]);
  expect(messages()).toEqual([
    'restore hook 1 of 3, of hook "loader", failed: exit code 3',
    'restore hook 2 of 3, of hook "loader", failed: it was not run: a hook of the pod before it failed',
    'restore hook 3 of 3, of hook "loader", failed: it was not run: a hook of the pod before it failed',
  ]);
  expect(issues[0]).toMatchObject({
    severity: 'error',
    reason: 'HookFailed',
    object: { groupResource: 'pods', namespace: 'copy', name: 'db' },
  });
});

it('a hook that may fail lets the next one run', async () => {
  play = ({ command: [program] }) => (program === 'load' ? 3 : 0);
  watched.see(pod({ main: true }));
  await start([hook('load', { onError: 'Continue' }), hook('check')]);
  expect(commands).toEqual(['load in main', 'check in main']);
  expect(messages()).toEqual(['restore hook 1 of 2, of hook "loader", failed: exit code 3']);
});

it.each<[string, (watchedPod: WatchedPod) => void, string]>([
  ['is deleted', (one) => one.remove(pod({})), 'the pod was deleted'],
  [
    'is replaced',
    (one) => one.see({ ...pod({ main: true }), metadata: { name: 'db', uid: 'another' } }),
    'the pod was deleted',
  ],
  ['fails', (one) => one.see(pod({}, { phase: 'Failed' })), 'the pod has ended (Failed)'],
  ['cannot be watched', (one) => one.fail('no right to'), 'no right to'],
])('a pod that %s ends the wait', async (_, happen, why) => {
  const run = start([hook('load', { hookName: undefined })]);
  happen(watched);
  await run;
  expect(commands).toEqual([]);
  expect(messages()).toEqual([
    `restore hook 1 of 1, of the annotations, failed: it was not run: ${why}`,
  ]);
});

it('the wait ends with the longest limit of the hooks, or the one of the restore', async () => {
  const run = start([
    hook('load', { waitTimeoutMs: 10_000 }),
    hook('check', { waitTimeoutMs: 90_000 }),
  ]);
  await clock.advance(0);
  await clock.advance(89_000);
  expect(issues).toEqual([]);
  await clock.advance(1_000);
  await run;
  expect(messages()[0]).toBe(
    'restore hook 1 of 2, of hook "loader", failed: it was not run: its container was not ready for it within 1m30s',
  );
  const withoutLimit = start([hook('load'), hook('check', { waitTimeoutMs: 1_000 })]);
  await clock.advance(0);
  await clock.advance(hookWaitTimeoutMs);
  await withoutLimit;
  expect(messages().at(-1)).toContain('within 1m0s');
});

it('a hook whose own limit has passed is not run when its container starts', async () => {
  const hooks = [
    hook('load', { waitTimeoutMs: 10_000, onError: 'Continue' }),
    hook('check', { waitTimeoutMs: 90_000 }),
  ];
  const run = start(hooks);
  await clock.advance(0);
  await clock.advance(20_000);
  watched.see(pod({ main: true }));
  await run;
  expect(commands).toEqual(['check in main']);
  expect(messages()).toEqual([
    'restore hook 1 of 2, of hook "loader", failed: it was not run: its container was not ready for it within 10s',
  ]);
});

it('time in which another hook of the pod runs is no waiting', async () => {
  const loaded = Promise.withResolvers<number>();
  play = ({ command: [program] }) => (program === 'load' ? loaded.promise : 0);
  watched.see(pod({ main: true }));
  const run = start([
    hook('load', { timeoutMs: 3_600_000 }),
    hook('serve', { containerName: 'side', waitTimeoutMs: 10_000 }),
  ]);
  await clock.advance(0);
  await clock.advance(600_000);
  loaded.resolve(0);
  await clock.advance(0);
  await clock.advance(9_000);
  watched.see(pod({ main: true, side: true }));
  await run;
  expect(commands).toEqual(['load in main', 'serve in side']);
  expect(issues).toEqual([]);
});

it('an abort ends the wait, and the hook that runs', async () => {
  const controller = new AbortController();
  const reason = new Error('cancelled');
  const waiting = start([hook('load')], controller.signal);
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(results).toEqual([]);
});

it('a container that the pod does not have is a failure at once', async () => {
  await start([hook('load', { containerName: 'gone' })]);
  expect(messages()).toEqual([
    'restore hook 1 of 1, of hook "loader", failed: the pod has no container "gone"; it has main, side',
  ]);
});
