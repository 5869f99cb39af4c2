import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import type { KubernetesManifest, StringMap } from '../../model/kubernetes.ts';
import type { RestoreSpec } from '../../model/restore.ts';
import { createInitHookFinder, withInitContainers } from './init-hook.ts';

const prefix = 'init.hook.restore.velero.io';

function specWith(entry: JsonObject): RestoreSpec {
  const postHooks = [
    { init: { initContainers: [{ name: 'fix', image: 'tools', command: ['fix'] }] } },
    { exec: { command: ['load'] } },
  ];
  return { backupName: 'b', hooks: { resources: [{ name: 'fixer', postHooks, ...entry }] } };
}

function pod(metadata: { labels?: StringMap; annotations?: StringMap } = {}) {
  return { metadata: { name: 'db', namespace: 'copy', ...metadata } };
}

describe('createInitHookFinder', () => {
  it.each<[string, JsonObject, boolean]>([
    ['without filters', {}, true],
    ['of its target namespace', { includedNamespaces: ['copy'] }, true],
    ['of the namespace in the backup', { includedNamespaces: ['shop'] }, false],
    ['of another namespace', { excludedNamespaces: ['copy'] }, false],
    ['by its labels', { labelSelector: { matchLabels: { app: 'db' } } }, true],
    ['by other labels', { labelSelector: { matchLabels: { app: 'web' } } }, false],
    ['of no pods', { includedResources: ['deployments'] }, false],
  ])('an entry %s', (_, entry, isFor) => {
    const find = createInitHookFinder(specWith(entry));
    expect(find(pod({ labels: { app: 'db' } }))).toEqual({
      containers: isFor ? [{ name: 'fix', image: 'tools', command: ['fix'] }] : [],
      problems: [],
      limited: [],
    });
  });

  it('takes the container of the annotations instead of those of the spec', () => {
    const annotations = {
      [`${prefix}/container-image`]: 'busybox:1.36',
      [`${prefix}/container-name`]: 'init-restore',
      [`${prefix}/command`]: '["sh","-c","echo init"]',
    };
    expect(createInitHookFinder(specWith({}))(pod({ annotations }))).toEqual({
      containers: [
        { name: 'init-restore', image: 'busybox:1.36', command: ['sh', '-c', 'echo init'] },
      ],
      problems: [],
      limited: [],
    });
  });

  it('gives a container without a name the same one every time, and tells of a limit that has no effect', () => {
    const find = createInitHookFinder({ backupName: 'b' });
    const annotations = { [`${prefix}/container-image`]: 'busybox', [`${prefix}/timeout`]: '5m' };
    const found = find(pod({ annotations }));
    expect(found).toEqual(find(pod({ annotations })));
    expect(found).toEqual({
      containers: [
        {
          name: expect.stringMatching(/^velero-restore-init-[0-9a-f]{8}$/) as string,
          image: 'busybox',
        },
      ],
      problems: [
        `annotation ${prefix}/timeout is "5m", which means nothing; Kubernetes has no limit for an init container`,
      ],
      limited: [],
    });
  });

  it.each([
    ['1m', ['fixer']],
    ['0s', []],
  ])('tells of hooks of the spec with a limit of %s', (timeout, limited) => {
    const initContainers = [{ name: 'fix', image: 'tools', command: ['fix'] }];
    const postHooks = [{ init: { initContainers, timeout } }, { init: { initContainers } }];
    const find = createInitHookFinder(specWith({ postHooks }));
    expect(find(pod())).toMatchObject({ containers: [{}, {}], limited });
    const annotations = { [`${prefix}/container-image`]: 'busybox' };
    expect(find(pod({ annotations })).limited).toEqual([]);
  });

  it('needs an image', () => {
    const annotations = { [`${prefix}/command`]: 'fix' };
    expect(createInitHookFinder({ backupName: 'b' })(pod({ annotations })).containers).toEqual([]);
  });
});

describe('withInitContainers', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['without its own', [], ['fix']],
    ['before its own', ['migrate'], ['fix', 'migrate']],
    ['after restore-wait', ['restore-wait', 'migrate'], ['restore-wait', 'fix', 'migrate']],
    ['after restic-wait', ['restic-wait'], ['restic-wait', 'fix']],
    [
      'before a restore-wait that is not first',
      ['a', 'restore-wait'],
      ['fix', 'a', 'restore-wait'],
    ],
  ])('puts containers into a pod %s', (_, own, names) => {
    const manifest: KubernetesManifest = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'db' },
      spec: {
        ...(own.length === 0 ? {} : { initContainers: own.map((name) => ({ name })) }),
        containers: [{ name: 'db' }],
      },
    };
    expect(withInitContainers(manifest, [{ name: 'fix' }])).toEqual({
      ...manifest,
      spec: { initContainers: names.map((name) => ({ name })), containers: [{ name: 'db' }] },
    });
  });
});
