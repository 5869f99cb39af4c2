import { describe, expect, it } from 'vitest';
import { isLifeboatError, ValidationError } from '../errors.ts';
import type { RestoreEvent } from '../model/event.ts';
import type { StringMap } from '../model/kubernetes.ts';
import { arrayAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { RestoreHooksSpec, RestoreSpec } from '../model/restore.ts';
import { createEngine } from './create-engine.ts';
import { HookLab } from './hook-lab-fixture.ts';

const loading: StringMap = { 'post.hook.restore.velero.io/command': '["load"]' };
const mapped: RestoreSpec = { backupName: 'shop', namespaceMapping: { shop: 'copy' } };
const pods = ['pods'];

function hooksWith(command: string, fields: RestoreHooksSpec = {}): RestoreHooksSpec {
  const exec = { command: [command] };
  return { resources: [{ name: 'loader', postHooks: [{ exec }] }], ...fields };
}

/** A backup of pods with a claim each. */
async function backedUp(podAnnotations: Readonly<Record<string, StringMap>>): Promise<HookLab> {
  const lab = await HookLab.open(
    Object.entries(podAnnotations).map(([name, annotations]) => ({
      name,
      annotations,
      labels: { app: name },
      claims: [`of-${name}`],
    })),
  );
  await lab.engine.backup({ name: 'shop', spec: { includedNamespaces: ['shop'] } });
  lab.calls.length = 0;
  return lab;
}

describe('exec hooks of a restore', () => {
  it('run once their pods have started, each pod its own, and are told', async () => {
    await using lab = await backedUp({ db: loading, web: {} });
    const events: RestoreEvent[] = [];
    const { restore, hooks, issues } = await lab.engine.restore(
      { spec: mapped },
      { onEvent: (event) => events.push(event) },
    );
    expect(issues).toEqual([]);
    expect(lab.commands).toEqual(['load db']);
    expect(hooks).toMatchObject([
      { stage: 'post', namespace: 'copy', podName: 'db', containerName: 'main', exitCode: 0 },
    ]);
    expect(restore.status).toMatchObject({
      phase: 'Completed',
      hookStatus: { hooksAttempted: 1 },
    });
    expect(restore.status.hookStatus).not.toHaveProperty('hooksFailed');
    expect(events.flatMap((event) => (event.type === 'hook' ? [event.state] : []))).toEqual([
      'Started',
      'Succeeded',
    ]);
  });

  it('of the spec run in the pods that its filters let in, by the names of the target', async () => {
    await using lab = await backedUp({ db: {}, web: {} });
    const postHooks = [{ exec: { command: ['load'], container: 'side' } }];
    const resources = [
      { name: 'a', includedNamespaces: ['shop'], postHooks },
      {
        name: 'b',
        includedNamespaces: ['copy'],
        labelSelector: { matchLabels: { app: 'db' } },
        postHooks,
      },
    ];
    const { hooks } = await lab.engine.restore({ spec: { ...mapped, hooks: { resources } } });
    expect(hooks).toMatchObject([{ hookName: 'b', podName: 'db', containerName: 'side' }]);
    expect(lab.commands).toEqual(['load db']);
  });

  it('of annotations replace those of the spec', async () => {
    await using lab = await backedUp({ db: loading, web: {} });
    await lab.engine.restore({ spec: { ...mapped, hooks: hooksWith('check') } });
    expect(lab.commands.toSorted()).toEqual(['check web', 'load db']);
  });

  it('that fail are errors, and the pods stay', async () => {
    await using lab = await backedUp({ db: loading });
    lab.play = () => ({ exitCode: 7, stderr: 'secret' });
    const { restore, issues, hooks } = await lab.engine.restore({ name: 'r', spec: mapped });
    expect(restore.status).toMatchObject({
      phase: 'PartiallyFailed',
      hookStatus: { hooksAttempted: 1, hooksFailed: 1 },
    });
    expect(hooks).toMatchObject([{ outcome: 'Failed', exitCode: 7, stderr: 'secret' }]);
    expect(issues).toMatchObject([
      { severity: 'error', reason: 'HookFailed', object: { namespace: 'copy', name: 'db' } },
    ]);
    expect(JSON.stringify(issues)).not.toContain('secret');
    expect(
      await lab.cluster.get({ ...Resources.pods, namespace: 'copy', name: 'db' }),
    ).toBeDefined();
  });

  it('of a pod that does not start in time are errors', async () => {
    await using lab = await backedUp({ db: loading });
    // Without its claim the pod waits for ever.
    const { issues } = await lab.engine.restore(
      { spec: { ...mapped, includedResources: pods } },
      { hookWaitTimeoutMs: 1 },
    );
    expect(lab.commands).toEqual([]);
    expect(issues).toMatchObject([
      {
        reason: 'HookFailed',
        message: expect.stringContaining('its container was not ready for it within 1ms') as string,
      },
    ]);
  });

  it('of a pod that is deleted while it is waited for are errors', async () => {
    await using lab = await backedUp({ db: loading });
    const running = lab.engine.restore(
      { spec: { ...mapped, includedResources: pods } },
      {
        onEvent: (event) => {
          if (event.type === 'item' && event.object.name === 'db') {
            void lab.cluster.delete({ ...Resources.pods, namespace: 'copy', name: 'db' });
          }
        },
      },
    );
    expect((await running).issues).toMatchObject([
      { message: expect.stringContaining('it was not run: the pod was deleted') as string },
    ]);
  });

  it('do not run in pods that are there already', async () => {
    await using lab = await backedUp({ db: loading });
    const { hooks } = await lab.engine.restore({ spec: { backupName: 'shop' } });
    expect(hooks).toEqual([]);
    expect(lab.commands).toEqual([]);
  });

  it('are cut off by an abort, with the reason of the signal', async () => {
    await using lab = await backedUp({ db: loading });
    const controller = new AbortController();
    const reason = new Error('cancelled by the test');
    lab.play = () => {
      controller.abort(reason);
      return Promise.withResolvers<never>().promise;
    };
    await expect(lab.engine.restore({ spec: mapped }, { signal: controller.signal })).rejects.toBe(
      reason,
    );
    expect(lab.commands).toEqual(['load db']);
  });

  it('are waited for no longer when the restore is aborted', async () => {
    await using lab = await backedUp({ db: loading });
    const controller = new AbortController();
    const reason = new Error('cancelled by the test');
    const running = lab.engine.restore(
      { spec: { ...mapped, includedResources: pods } },
      {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'phase' && event.phase === 'WaitingForClaims') {
            controller.abort(reason);
          }
        },
      },
    );
    await expect(running).rejects.toBe(reason);
    expect(lab.commands).toEqual([]);
  });

  it('run in a limited number of pods at a time', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await using lab = await backedUp(Object.fromEntries(names.map((name) => [name, loading])));
    const { cluster, store } = lab;
    const engine = createEngine({
      ...{ cluster, store, podExec: cluster.podExec },
      concurrency: { hookedPods: 2 },
    });
    let now = 0;
    let most = 0;
    lab.play = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise(setImmediate);
      now -= 1;
      return {};
    };
    const { hooks } = await engine.restore({ spec: mapped });
    expect(hooks.map(({ podName }) => podName).toSorted()).toEqual(names);
    expect(most).toBeLessThanOrEqual(2);
  });

  it('are errors when the pods cannot be watched', async () => {
    await using lab = await backedUp({ db: loading });
    lab.cluster.faults.inject({ operation: 'watch', resource: 'pods', error: 'Forbidden' });
    const { issues } = await lab.engine.restore({
      spec: { ...mapped, includedResources: pods },
    });
    expect(issues).toMatchObject([
      {
        reason: 'HookFailed',
        message: expect.stringContaining('the restored pods cannot be watched') as string,
      },
    ]);
  });
});

describe('an engine without podExec', () => {
  it('refuses a restore whose spec has exec hooks, with whatever else is wrong', async () => {
    await using lab = await backedUp({ db: {} });
    const engine = createEngine({ cluster: lab.cluster, store: lab.store });
    const spec = { ...mapped, hooks: hooksWith('load'), restorePVs: 'no' };
    const error: unknown = await engine
      .restore({ spec: spec as unknown as RestoreSpec })
      .catch((cause: unknown) => cause);
    expect(isLifeboatError(error, 'Validation')).toBe(true);
    expect(error instanceof ValidationError && error.violations.map(({ path }) => path)).toEqual([
      'spec.restorePVs',
      'spec.hooks',
    ]);
  });

  it('fails the hooks of annotations at once, and takes init hooks', async () => {
    await using lab = await backedUp({ db: loading, web: {} });
    const engine = createEngine({ cluster: lab.cluster, store: lab.store });
    const init = { initContainers: [{ name: 'fix', image: 'tools', command: ['fix'] }] };
    const resources = [{ name: 'fixer', postHooks: [{ init }] }];
    const { issues } = await engine.restore({
      spec: { ...mapped, includedResources: pods, hooks: { resources } },
    });
    expect(issues).toMatchObject([
      {
        reason: 'HookFailed',
        message: expect.stringContaining('the engine was made without podExec') as string,
      },
    ]);
    const web = await lab.cluster.get({ ...Resources.pods, namespace: 'copy', name: 'web' });
    expect(web && arrayAt(web, ['spec', 'initContainers'])).toMatchObject([{ name: 'fix' }]);
  });
});

it('an annotation that is not understood is a warning of the pod', async () => {
  await using lab = await backedUp({
    db: { ...loading, 'post.hook.restore.velero.io/on-error': 'never' },
    web: {
      'init.hook.restore.velero.io/container-image': 'tools',
      'init.hook.restore.velero.io/timeout': '5m',
    },
  });
  const { restore, issues } = await lab.engine.restore({ spec: mapped });
  expect(restore.status.phase).toBe('Completed');
  expect(
    issues
      .map(({ severity, reason, object }) => `${severity} ${reason} ${object?.name}`)
      .toSorted(),
  ).toEqual(['warning InvalidHookAnnotation db', 'warning InvalidHookAnnotation web']);
});

it('a limit that the spec sets for an init hook is a warning of the pods that get its containers', async () => {
  await using lab = await backedUp({ db: {}, web: {} });
  const init = {
    initContainers: [{ name: 'fix', image: 'tools', command: ['fix'] }],
    timeout: '1m',
  };
  const resources = [{ name: 'fixer', postHooks: [{ init }] }];
  const { issues } = await lab.engine.restore({
    spec: { ...mapped, includedResources: pods, hooks: { resources } },
  });
  expect(issues.map(({ reason, object }) => `${reason} ${object?.name}`).toSorted()).toEqual([
    'TimeoutWithoutEffect db',
    'TimeoutWithoutEffect web',
  ]);
});
