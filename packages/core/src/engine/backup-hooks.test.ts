import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BackupResult } from '../backup/request.ts';
import { ClusterError, ValidationError } from '../errors.ts';
import type { BackupEvent } from '../model/event.ts';
import type { BackupItemInput, BackupItemOutput } from '../ports/item-action.ts';
import type { ExecOutcome } from '../testing/fake-cluster/fake-pod-exec.ts';
import { LeapingClock } from '../testing/leaping-clock.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { EngineOptions } from './engine.ts';
import { freezing, freezingSpec, HookLab, type LabPod } from './hook-lab-fixture.ts';

const db: LabPod = { name: 'db', claims: ['data', 'logs'], annotations: freezing };
const request = { name: 'first', spec: { includedNamespaces: ['shop'] } };
const specRequest = { ...request, spec: { ...request.spec, hooks: freezingSpec } };
const pre = 'pre.hook.backup.velero.io';
const post = 'post.hook.backup.velero.io';

function errorsOf({ issues }: BackupResult): readonly string[] {
  return issues
    .filter(({ severity }) => severity === 'error')
    .map(({ reason, object }) => `${reason} ${object?.groupResource ?? ''} ${object?.name ?? ''}`);
}

/** A lab in which time passes only while everything waits for it, however busy the machine is. */
async function openLeaping(
  pods: readonly LabPod[],
  options: Partial<EngineOptions> = {},
): Promise<HookLab> {
  const opened: { lab?: HookLab } = {};
  const clock = new LeapingClock(() => opened.lab?.cluster.requests.length ?? 0);
  opened.lab = await HookLab.open(pods, { ...options, clock });
  return opened.lab;
}

async function podsIn(lab: HookLab): Promise<readonly string[]> {
  const pods: string[] = [];
  for (const event of lab.events) {
    if (event.type === 'item' && event.object.groupResource === 'pods') {
      pods.push(event.object.name);
    }
  }
  return pods.sort();
}

describe('hooks of a pod', () => {
  it.each([
    ['annotations', [db], request],
    ['the spec', [{ ...db, annotations: {} }], specRequest],
  ])('from %s run around the snapshots of all its claims', async (_what, pods, asked) => {
    await using lab = await HookLab.open(pods);
    const result = await lab.engine.backup(asked, { onEvent: lab.onEvent });
    expect(result.issues).toEqual([]);
    expect(lab.calls).toEqual(['freeze db 0', 'thaw db 2']);
    expect(result.backup.status).toMatchObject({
      phase: 'Completed',
      csiVolumeSnapshotsCompleted: 2,
      hookStatus: { hooksAttempted: 2 },
    });
    expect(result.backup.status.hookStatus).not.toHaveProperty('hooksFailed');
  });

  it('hold for the claims of its ephemeral volumes too', async () => {
    await using lab = await HookLab.open([{ ...db, claims: ['data'], ephemeral: ['cache'] }]);
    const { backup, issues } = await lab.engine.backup(request);
    expect(issues).toEqual([]);
    expect(lab.calls).toEqual(['freeze db 0', 'thaw db 2']);
    expect(backup.status.csiVolumeSnapshotsCompleted).toBe(2);
  });

  it('end when the snapshots are cut, not when they are ready', async () => {
    await using lab = await openLeaping([db]);
    lab.cluster.csi.inject({ call: 'CreateSnapshot', readyAfterMs: 60_000 });
    await lab.engine.backup(request, { onEvent: lab.onEvent });
    const order = lab.events.flatMap((event) =>
      event.type === 'hook' || event.type === 'snapshot' ? [event.state] : [],
    );
    expect(order.lastIndexOf('Succeeded')).toBeLessThan(order.indexOf('ReadyToUse'));
    expect(order.indexOf('Succeeded')).toBeLessThan(order.indexOf('Requested'));
  });

  it('do not wait for a store that takes its time', async () => {
    const fillBuffers = {
      name: 'example.com/fill-buffers',
      appliesTo: { resources: ['persistentvolumes'] },
      execute: async ({ item }: BackupItemInput): Promise<BackupItemOutput> => ({
        item: { ...item, noise: randomBytes(600_000).toString('base64') },
      }),
    };
    const claims = Array.from({ length: 5 }, (_, index) => `c${index}`);
    await using lab = await HookLab.open([{ ...db, claims }], { backupItemActions: [fillBuffers] });
    const { promise: hold, resolve } = Promise.withResolvers<void>();
    lab.faulty.inject({ operation: 'put', key: /\.tar\.gz$/, hold });
    const running = lab.engine.backup(request, {
      onEvent: (event) => {
        if (event.type === 'hook' && event.state === 'Succeeded' && event.hook.stage === 'post') {
          resolve();
        }
      },
    });
    expect((await running).backup.status.phase).toBe('Completed');
  });

  it('tell in result and events how each ended, and keep their output out of log and files', async () => {
    const lines: string[] = [];
    const write = (message: string, fields: unknown): void => {
      lines.push(message + JSON.stringify(fields));
    };
    const logger = { debug: write, info: write, warn: write, error: write };
    const annotations = { ...freezing, [`${pre}/container`]: 'side' };
    await using lab = await HookLab.open([{ ...db, annotations }], { logger });
    lab.play = (command) =>
      command === 'freeze'
        ? { stdout: 'hunter2', stderr: 'careful' }
        : { exitCode: 3, stderr: 'hunter2' };
    const { hooks, issues, backup } = await lab.engine.backup(request, { onEvent: lab.onEvent });
    const common = { namespace: 'shop', podName: 'db', hookName: undefined, truncated: false };
    expect(hooks).toMatchObject([
      {
        ...common,
        stage: 'pre',
        containerName: 'side',
        command: ['freeze'],
        outcome: 'Succeeded',
        exitCode: 0,
        stdout: 'hunter2',
        stderr: 'careful',
      },
      {
        ...common,
        stage: 'post',
        containerName: 'main',
        command: ['thaw'],
        outcome: 'Failed',
        exitCode: 3,
        message: 'exit code 3',
        stderr: 'hunter2',
      },
    ]);
    expect(hookEvents(lab.events)).toEqual([
      'pre Started',
      'pre Succeeded',
      'post Started',
      'post Failed',
    ]);
    expect(issues).toMatchObject([{ reason: 'HookFailed', object: { name: 'db' } }]);
    expect(backup.status).toMatchObject({
      phase: 'PartiallyFailed',
      hookStatus: { hooksAttempted: 2, hooksFailed: 1 },
    });
    expect(lines.join()).not.toContain('hunter2');
    expect(JSON.stringify([issues, backup])).not.toContain('hunter2');
  });

  it('keep the beginning of what they print, and little of it in total', async () => {
    const pods = Array.from({ length: 200 }, (_, index) => ({
      name: `p${index}`,
      annotations: freezing,
    }));
    await using lab = await HookLab.open(pods);
    const much = Buffer.alloc(10_000_000, 'x');
    lab.play = () => ({ stdout: much, stderr: much });
    const { hooks } = await lab.engine.backup(request);
    expect(hooks).toHaveLength(400);
    expect(hooks[0]).toMatchObject({ stdout: 'x'.repeat(4_096), truncated: true });
    const total = hooks.reduce((sum, { stdout, stderr }) => sum + stdout.length + stderr.length, 0);
    expect(total).toBeLessThan(1_200_000);
    expect(hooks.at(-1)).toMatchObject({ outcome: 'Succeeded', stdout: '', truncated: true });
  });

  it('are not run for pods that the backup leaves out, or that have ended', async () => {
    const labels = { 'velero.io/exclude-from-backup': 'true' };
    await using lab = await HookLab.open([{ ...db, labels }]);
    await lab.engine.backup(request);
    const include = ({ name }: { readonly name: string }): boolean => name !== 'db';
    await lab.engine.backup({ ...specRequest, name: 'second' }, { include });
    expect(lab.calls).toEqual([]);
  });
});

describe('a pre hook that fails', () => {
  it.each([
    ['by default', {}],
    ['with on-error Fail', { [`${pre}/on-error`]: 'Fail' }],
  ])('%s keeps its pod out of the backup, and lets it go on', async (_what, annotations) => {
    const other = { name: 'web' };
    await using lab = await HookLab.open([
      { ...db, annotations: { ...freezing, ...annotations } },
      other,
    ]);
    lab.play = (command) => (command === 'freeze' ? { exitCode: 1 } : undefined);
    const result = await lab.engine.backup(request, { onEvent: lab.onEvent });
    expect(errorsOf(result)).toEqual(['HookFailed pods db']);
    expect(result.issues[0]?.message).toContain('exit code 1');
    expect(await podsIn(lab)).toEqual(['web']);
    expect(lab.calls).toEqual(['freeze db 0', 'thaw db 0']);
    expect(result.backup.status.hookStatus).toEqual({ hooksAttempted: 2, hooksFailed: 1 });
  });

  it('with on-error Continue is an error, and the pod is backed up', async () => {
    const annotations = { ...freezing, [`${pre}/on-error`]: 'Continue' };
    await using lab = await HookLab.open([{ ...db, annotations }]);
    lab.play = (command) => (command === 'freeze' ? { exitCode: 1 } : undefined);
    const result = await lab.engine.backup(request, { onEvent: lab.onEvent });
    expect(errorsOf(result)).toEqual(['HookFailed pods db']);
    expect(await podsIn(lab)).toEqual(['db']);
    expect(lab.calls).toEqual(['freeze db 0', 'thaw db 2']);
  });

  it('stops the hooks after it, and all post hooks run', async () => {
    const exec = (command: string): { readonly exec: { readonly command: readonly string[] } } => ({
      exec: { command: [command] },
    });
    const hooks = {
      resources: [
        { name: 'a', pre: [exec('freeze'), exec('fail'), exec('never')], post: [exec('fail')] },
        { name: 'b', pre: [exec('never')], post: [exec('thaw')] },
      ],
    };
    await using lab = await HookLab.open([{ ...db, annotations: {} }]);
    lab.play = (command) => (command === 'fail' ? { exitCode: 2 } : undefined);
    const result = await lab.engine.backup({ ...request, spec: { ...request.spec, hooks } });
    expect(lab.commands).toEqual(['freeze db', 'fail db', 'fail db', 'thaw db']);
    expect(result.backup.status.hookStatus).toEqual({ hooksAttempted: 4, hooksFailed: 2 });
  });

  it('that hangs is given up after its timeout, and the post hooks run, since it may have frozen', async () => {
    const clock = new ManualClock();
    const annotations = { ...freezing, [`${pre}/timeout`]: '5s' };
    await using lab = await HookLab.open([{ ...db, annotations }], { clock });
    lab.play = (command) =>
      command === 'freeze' ? Promise.withResolvers<ExecOutcome>().promise : undefined;
    const running = lab.engine.backup(request, { onEvent: lab.onEvent });
    await turnUntilSettled(clock, running);
    const result = await running;
    expect(lab.commands).toEqual(['freeze db', 'thaw db']);
    expect(lab.frozen.size).toBe(0);
    expect(result.hooks[0]).toMatchObject({ outcome: 'Failed' });
    expect(result.hooks[0]?.exitCode).toBeUndefined();
    expect(result.hooks[0]?.message).toContain('5s');
    expect(result.hooks[0]?.durationMs).toBeGreaterThanOrEqual(5_000);
  });

  it.each([
    ['names a container that the pod has not', { [`${pre}/container`]: 'nope' }, 'main, side'],
    ['may not be run', {}, 'orbidden'],
  ])(
    'because it %s has not run, so nothing has to be undone',
    async (_what, annotations, words) => {
      await using lab = await HookLab.open([
        { ...db, annotations: { ...freezing, ...annotations } },
      ]);
      lab.cluster.faults.inject({ operation: 'exec', error: 'Forbidden' });
      const result = await lab.engine.backup(request);
      expect(errorsOf(result)).toEqual(['HookFailed pods db']);
      expect(result.hooks[0]?.message).toContain(words);
      expect(result.hooks).toHaveLength(1);
      expect(lab.calls).toEqual([]);
    },
  );
});

describe('whatever happens while a pod is frozen, it is thawed', () => {
  it('when its snapshots fail', async () => {
    await using lab = await HookLab.open([db]);
    lab.cluster.csi.inject({ call: 'CreateSnapshot', error: 'array is on fire' });
    const asked = { ...request, spec: { ...request.spec, csiSnapshotTimeout: '200ms' } };
    const result = await lab.engine.backup(asked);
    expect(errorsOf(result)).toEqual([
      'SnapshotFailed persistentvolumeclaims data',
      'SnapshotFailed persistentvolumeclaims logs',
    ]);
    expect(lab.commands).toEqual(['freeze db', 'thaw db']);
  });

  it('when no class is fit for its claims', async () => {
    await using lab = await HookLab.open([db]);
    lab.cluster.faults.inject({
      operation: 'list',
      resource: 'volumesnapshotclasses.snapshot.storage.k8s.io',
      error: 'Forbidden',
    });
    await lab.engine.backup(request);
    expect(lab.commands).toEqual(['freeze db', 'thaw db']);
  });

  it('when an action fails for it', async () => {
    const action = {
      name: 'example.com/fails',
      appliesTo: { resources: ['pods'] },
      execute: async () => Promise.reject(new Error('not today')),
    };
    await using lab = await HookLab.open([db], { backupItemActions: [action] });
    expect(errorsOf(await lab.engine.backup(request))).toEqual(['ItemFailed pods db']);
    expect(lab.commands).toEqual(['freeze db', 'thaw db']);
  });

  it('when the store fails', async () => {
    await using lab = await HookLab.open([db]);
    const { promise: hold, resolve } = Promise.withResolvers<void>();
    lab.faulty.inject({ operation: 'put', key: /\.tar\.gz$/, hold, error: 'PermissionDenied' });
    lab.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 3_000 });
    const running = lab.engine.backup(request, {
      onEvent: (event) => {
        if (event.type === 'snapshot' && event.state === 'Requested') {
          resolve();
        }
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'PermissionDenied' });
    // At once, not when the driver is done.
    expect(lab.calls).toEqual(['freeze db 0', 'thaw db 0']);
  });

  it('when the cluster goes out of reach, as soon as it is back', async () => {
    const clock = new ManualClock();
    await using lab = await HookLab.open([db], { clock });
    const cause = new ClusterError('connection refused', {
      code: 'Unavailable',
      operation: 'Cluster.get',
      retryable: true,
    });
    lab.cluster.faults.inject({ resource: 'persistentvolumes', error: cause, times: 1 });
    lab.cluster.faults.inject({ operation: 'exec', after: 1, error: cause, times: 1 });
    const running = lab.engine.backup(request);
    await turnUntilSettled(clock, running);
    await expect(running).rejects.toBe(cause);
    expect(lab.commands).toEqual(['freeze db', 'thaw db']);
  });

  it.each<[string, (event: BackupEvent) => boolean]>([
    ['its pre hook begins', (event) => event.type === 'hook' && event.state === 'Started'],
    ['its pre hook has ended', (event) => event.type === 'hook' && event.state === 'Succeeded'],
    [
      'its snapshot is requested',
      (event) => event.type === 'snapshot' && event.state === 'Requested',
    ],
    [
      'its snapshot is cut',
      (event) => event.type === 'snapshot' && event.state === 'HandleAssigned',
    ],
    [
      'its post hook begins',
      (event) => event.type === 'hook' && event.state === 'Started' && event.hook.stage === 'post',
    ],
  ])('when the backup is cancelled as %s', async (_what, isMoment) => {
    await using lab = await HookLab.open([db]);
    const stop = new AbortController();
    const reason = new Error('enough');
    const running = lab.engine.backup(request, {
      signal: stop.signal,
      onEvent: (event) => {
        lab.onEvent(event);
        if (isMoment(event)) {
          stop.abort(reason);
        }
      },
    });
    await expect(running).rejects.toBe(reason);
    expect([...lab.frozen]).toEqual([]);
    // Cancelled before its command went out, a hook has nothing to undo, but a post hook does no harm.
    expect(lab.commands.at(-1)).toBe('thaw db');
    expect(hookEvents(lab.events).at(-1)).toBe('post Succeeded');
    await lab.cluster.settle();
    expect(lab.cluster.csi.storage.snapshots.size).toBe(0);
    expect(await Array.fromAsync(lab.store.list(''))).toEqual([]);
  });

  it('when the backup is cancelled while an action hangs that knows nothing of cancelling', async () => {
    const { promise: thawed, resolve } = Promise.withResolvers<void>();
    const stop = new AbortController();
    const reason = new Error('enough');
    const action = {
      name: 'example.com/hangs',
      appliesTo: { resources: ['pods'] },
      execute: async (): Promise<BackupItemOutput> => {
        stop.abort(reason);
        await thawed;
        return {};
      },
    };
    await using lab = await HookLab.open([db], { backupItemActions: [action] });
    lab.play = (command) => {
      if (command === 'thaw') {
        resolve();
      }
      return undefined;
    };
    await expect(lab.engine.backup(request, { signal: stop.signal })).rejects.toBe(reason);
    expect(lab.calls).toEqual(['freeze db 0', 'thaw db 0']);
  });

  it('when the backup is cancelled while the pre hook of another hangs', async () => {
    await using lab = await HookLab.open([db, { name: 'web', annotations: freezing }]);
    const stop = new AbortController();
    const reason = new Error('enough');
    lab.play = (command, pod) => {
      if (command === 'freeze' && pod === 'web') {
        setImmediate(() => stop.abort(reason));
        return Promise.withResolvers<ExecOutcome>().promise;
      }
      return undefined;
    };
    await expect(lab.engine.backup(request, { signal: stop.signal })).rejects.toBe(reason);
    expect([...lab.frozen]).toEqual([]);
    expect(lab.commands.filter((command) => command.startsWith('thaw')).sort()).toEqual([
      'thaw db',
      'thaw web',
    ]);
  });
});

describe('the windows of several pods', () => {
  it('are open side by side within the limit', async () => {
    const pods = Array.from({ length: 6 }, (_, index) => ({
      name: `p${index}`,
      claims: [`c${index}`],
      annotations: freezing,
    }));
    await using lab = await HookLab.open(pods, { concurrency: { hookedPods: 2 } });
    let most = 0;
    lab.play = () => {
      most = Math.max(most, lab.frozen.size);
      return undefined;
    };
    const { backup } = await lab.engine.backup(request);
    expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 6 });
    expect(most).toBe(2);
    expect(lab.calls).toHaveLength(12);
  });

  it('are one window when they share a claim, also with a pod that has no hooks', async () => {
    const shared = [
      { name: 'a', claims: ['shared'] },
      { name: 'b', claims: ['shared', 'own'], annotations: freezing },
      { name: 'c', claims: ['own'], annotations: freezing },
    ];
    await using lab = await HookLab.open(shared);
    const { backup } = await lab.engine.backup(request, { onEvent: lab.onEvent });
    expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 2 });
    expect(lab.calls.slice(0, 2)).toEqual(['freeze b 0', 'freeze c 0']);
    expect(lab.calls.slice(2).sort()).toEqual(['thaw b 2', 'thaw c 2']);
    expect(await podsIn(lab)).toEqual(['a', 'b', 'c']);
  });

  it('do not wait for snapshots for which nobody stands still', async () => {
    const plain = Array.from({ length: 5 }, (_, index) => ({
      name: `a${index}`,
      claims: [`c${index}`],
    }));
    await using lab = await openLeaping([...plain, db], {
      concurrency: { snapshotsPerDriver: 1 },
    });
    lab.cluster.csi.inject({ call: 'CreateSnapshot', delayMs: 40 });
    const { backup } = await lab.engine.backup(request);
    expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 7 });
    expect(Number(lab.calls[1]?.split(' ')[2])).toBeLessThan(5);
  });

  it('store what they share once', async () => {
    const pods = ['a', 'b', 'c'].map((name) => ({ name, annotations: freezing, claims: [name] }));
    await using lab = await HookLab.open(pods);
    const stored: string[] = [];
    await lab.engine.backup(request, {
      onEvent: (event) => {
        if (event.type === 'item') {
          stored.push(`${event.object.groupResource} ${event.object.name}`);
        }
      },
    });
    expect(stored).toHaveLength(new Set(stored).size);
  });

  it('run the hooks of a pod that an action pulls along', async () => {
    const action = {
      name: 'example.com/pull',
      appliesTo: { resources: ['configmaps'] },
      execute: async () => ({
        additionalItems: [
          { group: '', version: 'v1', resource: 'pods', namespace: 'shop', name: 'db' },
        ],
      }),
    };
    await using lab = await HookLab.open([db], { backupItemActions: [action] });
    const spec = { ...request.spec, labelSelector: { matchLabels: { app: 'none' } } };
    await lab.cluster.create(
      { group: '', version: 'v1', resource: 'configmaps' },
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'settings', namespace: 'shop', labels: { app: 'none' } },
      },
    );
    const { backup } = await lab.engine.backup({ ...request, spec }, { onEvent: lab.onEvent });
    expect(backup.status).toMatchObject({ phase: 'Completed', csiVolumeSnapshotsCompleted: 2 });
    expect(lab.calls).toEqual(['freeze db 0', 'thaw db 2']);
    expect(await podsIn(lab)).toEqual(['db']);
  });
});

describe('an engine that cannot run commands in pods', () => {
  it('refuses a spec with hooks before anything is touched', async () => {
    await using lab = await HookLab.open([db], { podExec: undefined });
    const before = lab.cluster.requests.length;
    const refused = lab.engine.backup(specRequest);
    await expect(refused).rejects.toThrow(ValidationError);
    await expect(refused).rejects.toThrow(/spec\.hooks.*podExec/);
    expect(lab.cluster.requests.length).toBe(before);
    expect(await Array.fromAsync(lab.store.list(''))).toEqual([]);
  });

  it('fails the hooks of annotations, each as it says itself', async () => {
    const tolerant = { ...freezing, [`${pre}/on-error`]: 'Continue' };
    const pods = [db, { name: 'web', annotations: tolerant }, { name: 'plain' }];
    await using lab = await HookLab.open(pods, { podExec: undefined });
    const result = await lab.engine.backup(request, { onEvent: lab.onEvent });
    expect(result.backup.status.phase).toBe('PartiallyFailed');
    expect(new Set(errorsOf(result))).toEqual(
      new Set(['HookFailed pods db', 'HookFailed pods web']),
    );
    expect(result.issues[0]?.message).toContain('podExec');
    expect(await podsIn(lab)).toEqual(['plain', 'web']);
  });
});

it('warns of an annotation that means nothing', async () => {
  const annotations = { ...freezing, [`${post}/timeout`]: 'soon' };
  await using lab = await HookLab.open([{ ...db, annotations }]);
  const { issues } = await lab.engine.backup(request);
  expect(issues).toMatchObject([
    { severity: 'warning', reason: 'InvalidHookAnnotation', object: { name: 'db' } },
  ]);
});

function hookEvents(events: readonly BackupEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.type === 'hook' ? [`${event.hook.stage} ${event.state}`] : [],
  );
}

async function turnUntilSettled(clock: ManualClock, running: Promise<unknown>): Promise<void> {
  const state = { settled: false };
  const settle = (): void => {
    state.settled = true;
  };
  running.then(settle, settle);
  while (!state.settled) {
    await clock.advance(1_000);
  }
}
