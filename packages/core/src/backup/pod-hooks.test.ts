import { describe, expect, it } from 'vitest';
import type { BackupResourceHook } from '../model/backup.ts';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { createHookFinder, type PodHooks } from './pod-hooks.ts';

const hook = { exec: { command: ['freeze'] } };
const thaw = { exec: { command: ['thaw'] } };

interface PodOptions {
  readonly namespace?: string;
  readonly annotations?: StringMap;
  readonly phase?: string;
}

function pod({
  namespace = 'shop',
  annotations = {},
  phase = 'Running',
}: PodOptions = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db', namespace, uid: 'u', labels: { app: 'db' }, annotations },
    spec: {},
    status: { phase },
  };
}

function find(resources: readonly BackupResourceHook[], of: KubernetesObject = pod()): PodHooks {
  return createHookFinder({ hooks: { resources } })(of);
}

function commands({ pre, post }: PodHooks): readonly (readonly string[])[] {
  return [pre, post].map((hooks) => hooks.map(({ command }) => command.join(' ')));
}

describe('createHookFinder', () => {
  it.each<[string, Omit<BackupResourceHook, 'name'>, boolean]>([
    ['without filters', {}, true],
    ['with the namespace', { includedNamespaces: ['shop'] }, true],
    ['with a pattern of the namespace', { includedNamespaces: ['sh*'] }, true],
    ['with another namespace', { includedNamespaces: ['other'] }, false],
    ['that excludes the namespace', { excludedNamespaces: ['shop'] }, false],
    ['with pods', { includedResources: ['pods'] }, true],
    ['with pods by their short name', { includedResources: ['po'] }, true],
    ['with pods by their kind', { includedResources: ['Pod'] }, true],
    ['with all resources', { includedResources: ['*'] }, true],
    ['with other resources', { includedResources: ['deployments'] }, false],
    ['that excludes pods', { excludedResources: ['pods'] }, false],
    ['with the label', { labelSelector: { matchLabels: { app: 'db' } } }, true],
    ['with another label', { labelSelector: { matchLabels: { app: 'web' } } }, false],
    [
      'with an expression',
      { labelSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['db'] }] } },
      true,
    ],
    ['with an empty selector', { labelSelector: {} }, true],
    [
      'whose filters are null',
      JSON.parse('{"labelSelector":null,"includedNamespaces":null}'),
      true,
    ],
  ])('an entry %s', (_what, filters, applies) => {
    const { pre } = find([{ name: 'a', pre: [hook], ...filters }]);
    expect(pre).toHaveLength(applies ? 1 : 0);
  });

  it('fills in what a hook does not say', () => {
    expect(find([{ name: 'a', pre: [hook] }]).pre).toEqual([
      {
        stage: 'pre',
        hookName: 'a',
        containerName: undefined,
        command: ['freeze'],
        onError: 'Fail',
        timeoutMs: 30_000,
      },
    ]);
    const exec = { ...hook.exec, container: 'c', onError: 'Continue', timeout: '2m0s' } as const;
    expect(find([{ name: 'a', post: [{ exec }] }]).post).toMatchObject([
      { containerName: 'c', onError: 'Continue', timeoutMs: 120_000 },
    ]);
    const unset = { exec: { ...hook.exec, timeout: '0s', container: '' } };
    expect(find([{ name: 'a', pre: [unset] }]).pre).toMatchObject([
      { containerName: undefined, timeoutMs: 30_000 },
    ]);
  });

  it('runs every entry that applies, in order', () => {
    const found = find([
      { name: 'a', pre: [hook, { exec: { command: ['flush'] } }] },
      { name: 'b', includedNamespaces: ['other'], pre: [{ exec: { command: ['no'] } }] },
      { name: 'c', pre: [{ exec: { command: ['last'] } }], post: [thaw] },
    ]);
    expect(commands(found)).toEqual([['freeze', 'flush', 'last'], ['thaw']]);
  });

  it('lets an annotation replace the hooks of the spec for its stage', () => {
    const spec = [{ name: 'a', pre: [hook], post: [thaw] }];
    const annotations = { 'pre.hook.backup.velero.io/command': 'mine' };
    expect(commands(find(spec, pod({ annotations })))).toEqual([['mine'], ['thaw']]);
    const both = { ...annotations, 'post.hook.backup.velero.io/command': 'my thaw' };
    expect(commands(find(spec, pod({ annotations: both })))).toEqual([['mine'], ['my thaw']]);
  });

  it('passes on what is wrong with annotations', () => {
    const annotations = {
      'pre.hook.backup.velero.io/command': 'mine',
      'pre.hook.backup.velero.io/timeout': 'soon',
    };
    expect(find([], pod({ annotations })).problems).toHaveLength(1);
  });

  it.each(['Succeeded', 'Failed'])('finds none for a pod that has %s', (phase) => {
    const annotations = { 'pre.hook.backup.velero.io/command': 'mine' };
    const found = find([{ name: 'a', pre: [hook], post: [thaw] }], pod({ phase, annotations }));
    expect(commands(found)).toEqual([[], []]);
  });

  it('finds none without hooks', () => {
    expect(createHookFinder({})(pod())).toEqual({ pre: [], post: [], problems: [] });
  });
});
