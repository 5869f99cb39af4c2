import { expect, it } from 'vitest';
import type { StringMap } from '../model/kubernetes.ts';
import type { RestoreHooksSpec, RestoreSpec } from '../model/restore.ts';
import { createEngine } from './create-engine.ts';
import { HookLab } from './hook-lab-fixture.ts';

const loading: StringMap = {
  'post.hook.restore.velero.io/command': '["load", "all"]',
  'post.hook.restore.velero.io/container': 'main',
};
const misunderstood: StringMap = { ...loading, 'post.hook.restore.velero.io/on-error': 'never' };
const mapped: RestoreSpec = { backupName: 'shop', namespaceMapping: { shop: 'copy' } };

/** A backup of the pods `web` and `db`. */
async function backedUp({ db }: { readonly db: StringMap }): Promise<HookLab> {
  const lab = await HookLab.open(
    [
      { name: 'web', annotations: {} },
      { name: 'db', annotations: db },
    ].map((pod) => ({ ...pod, labels: { app: pod.name } })),
  );
  await lab.engine.backup({ name: 'shop', spec: { includedNamespaces: ['shop'] } });
  lab.calls.length = 0;
  return lab;
}

function execIn(container: string): RestoreHooksSpec {
  const exec = { container, command: ['warm'] };
  return { resources: [{ name: 'warmer', postHooks: [{ exec }, { exec: { command: ['go'] } }] }] };
}

it('a plan has the hooks that a restore then runs, with a change for each init container, and runs none', async () => {
  await using lab = await backedUp({ db: misunderstood });
  const init = { initContainers: [{ name: 'fix', image: 'tools', command: ['fix'] }] };
  const hooks = {
    resources: [...(execIn('main').resources ?? []), { name: 'fixer', postHooks: [{ init }] }],
  };
  const request = { spec: { ...mapped, hooks } };
  const plan = await lab.engine.planRestore(request);
  expect(lab.commands).toEqual([]);
  const of = { stage: 'post', namespace: 'copy', containerName: 'main' };
  expect(plan.hooks).toStrictEqual([
    { ...of, podName: 'db', command: ['load', 'all'] },
    { ...of, podName: 'web', command: ['warm'], hookName: 'warmer' },
    { ...of, podName: 'web', command: ['go'], hookName: 'warmer' },
  ]);
  expect(plan.issues).toMatchObject([{ severity: 'warning', reason: 'InvalidHookAnnotation' }]);
  for (const name of ['db', 'web']) {
    const { transforms } = plan.items.find(({ target }) => target.name === name) ?? {};
    const change = transforms?.find(({ step }) => step === 'velero.io/init-restore-hook');
    expect(change?.patch).toEqual([
      {
        op: 'add',
        path: '/spec/initContainers',
        value: [expect.objectContaining({ name: 'fix' })],
      },
    ]);
  }

  const restored = await lab.engine.restore(plan);
  expect(
    restored.hooks.map(({ podName, command }) => [podName, ...command].join(' ')).toSorted(),
  ).toEqual(['db load all', 'web go', 'web warm']);
  const again = await lab.engine.planRestore(request);
  expect(again.hooks).toEqual([]);
});

it('a hook that cannot be run is an error of the plan, as of the restore', async () => {
  await using lab = await backedUp({ db: loading });
  const request = { spec: { ...mapped, hooks: execIn('sidecar') } };
  const { hooks, issues, phase } = await lab.engine.planRestore(request);
  expect(hooks.map(({ podName, command }) => [podName, ...command])).toEqual([
    ['db', 'load', 'all'],
    ['web', 'go'],
  ]);
  expect(phase).toBe('PartiallyFailed');
  const restored = await lab.engine.restore({
    spec: { ...request.spec, labelSelector: { matchLabels: { app: 'web' } } },
  });
  expect(issues).toEqual([restored.issues[0]]);

  const { cluster, store } = lab;
  const withoutExec = await createEngine({ cluster, store }).planRestore({
    spec: { backupName: 'shop', namespaceMapping: { shop: 'elsewhere' } },
  });
  expect(withoutExec.hooks).toEqual([]);
  expect(withoutExec.issues).toMatchObject([
    { reason: 'HookFailed', object: { name: 'db', namespace: 'elsewhere' } },
  ]);
});
