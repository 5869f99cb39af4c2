import { describe, expect, it } from 'vitest';
import type { RestoreSpec } from '../model/restore.ts';
import { acceptRestoreRequest, type RestoreRequest, restoreRequestViolations } from './request.ts';

const startedAt = new Date('2026-11-24T16:05:09.123Z');

function violationsOf(request: RestoreRequest): readonly string[] {
  return restoreRequestViolations(request, {}).map(({ path, rule }) => `${path} ${rule}`);
}

describe('acceptRestoreRequest', () => {
  it('names a restore after its backup and its start, and fills in the defaults of Velero', () => {
    const restore = acceptRestoreRequest({ spec: { backupName: 'shop' } }, startedAt);
    expect(restore.metadata.name).toBe('shop-20261124160509');
    expect(restore.metadata.namespace).toBe('velero');
    expect(restore.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(restore.spec).toEqual({
      backupName: 'shop',
      excludedResources: [
        'nodes',
        'events',
        'events.events.k8s.io',
        'backups.velero.io',
        'restores.velero.io',
        'resticrepositories.velero.io',
        'csinodes.storage.k8s.io',
        'volumeattachments.storage.k8s.io',
        'backuprepositories.velero.io',
      ],
      itemOperationTimeout: '4h0m0s',
    });
    expect(restore.status).toEqual({ phase: 'InProgress', startTimestamp: '2026-11-24T16:05:09Z' });
  });

  it('keeps what the request says', () => {
    const restore = acceptRestoreRequest(
      {
        name: 'again',
        spec: { backupName: 'shop', excludedResources: ['secrets', 'nodes'] },
        metadata: { namespace: 'backup', uid: 'u-1', labels: { team: 'a' } },
      },
      startedAt,
    );
    expect(restore.metadata).toMatchObject({
      name: 'again',
      namespace: 'backup',
      uid: 'u-1',
      labels: { team: 'a' },
    });
    expect(restore.spec.excludedResources?.slice(0, 3)).toEqual(['secrets', 'nodes', 'events']);
  });

  it('takes the empty fields that Velero writes for nothing', () => {
    const spec: RestoreSpec = {
      backupName: 'shop',
      hooks: {},
      uploaderConfig: {},
      existingResourcePolicy: '',
      scheduleName: '',
      includedNamespaces: ['*'],
      restoreStatus: null,
    };
    expect(violationsOf({ spec })).toEqual([]);
  });

  const refused: readonly [name: string, request: RestoreRequest, violations: readonly string[]][] =
    [
      [
        'a name that cannot be a key',
        { name: '../x', spec: { backupName: 'shop' } },
        ['name must be a DNS-1123 subdomain'],
      ],
      [
        'no backup',
        { spec: { backupName: '' } },
        ['spec.backupName must name the backup to restore, a DNS-1123 subdomain'],
      ],
      [
        'everything beside something',
        { spec: { backupName: 'b', includedNamespaces: ['*', 'a'] } },
        ['spec.includedNamespaces must hold nothing else beside *'],
      ],
      [
        'excluding everything',
        { spec: { backupName: 'b', excludedResources: ['*'] } },
        ['spec.excludedResources must not hold *'],
      ],
      [
        'a name on both lists',
        { spec: { backupName: 'b', includedNamespaces: ['a'], excludedNamespaces: ['a'] } },
        ['spec.excludedNamespaces must not name what spec.includedNamespaces names'],
      ],
      [
        'a resource that is never restored',
        { spec: { backupName: 'b', includedResources: ['nodes'] } },
        ['spec.includedResources must not name a resource that is never restored'],
      ],
      [
        'a mapping onto what cannot be a namespace',
        { spec: { backupName: 'b', namespaceMapping: { a: 'x.y' } } },
        ['spec.namespaceMapping.a must name a namespace, a DNS-1123 label'],
      ],
      [
        'two namespaces mapped onto one',
        { spec: { backupName: 'b', namespaceMapping: { a: 'x', b: 'x' } } },
        ['spec.namespaceMapping.b must not map onto the namespace that a is mapped onto'],
      ],
      [
        'two kinds of selectors',
        {
          spec: {
            backupName: 'b',
            labelSelector: { matchLabels: { a: 'b' } },
            orLabelSelectors: [{}],
          },
        },
        ['spec.orLabelSelectors must not be given together with spec.labelSelector'],
      ],
      [
        'a duration that is none',
        { spec: { backupName: 'b', itemOperationTimeout: '4 hours' } },
        ['spec.itemOperationTimeout must be a duration such as 4h0m0s'],
      ],
      [
        'what a restore cannot do yet',
        {
          spec: {
            backupName: 'b',
            hooks: { resources: [{ name: 'h', postHooks: [{ exec: { command: [] } }] }] },
            uploaderConfig: { parallelFilesDownload: 2 },
            restoreStatus: { includedResources: ['*', 'Pods'], all: true },
            scheduleName: 'nightly',
          },
        },
        [
          'spec.hooks.resources[0].postHooks[0].exec.command must be a list of texts, a program and its arguments; for a shell, ["sh", "-c", "…"]',
          'spec.restoreStatus.all is not a field of the selection of statuses: includedResources, excludedResources',
          'spec.restoreStatus.includedResources must hold "*" alone or not at all',
          'spec.restoreStatus.includedResources must not name a resource whose status says what the cluster itself has done',
          'spec.uploaderConfig is not supported yet',
          'spec.hooks needs an engine that can run commands in pods: give createEngine a podExec',
        ],
      ],
    ];

  it.each(refused)('refuses %s', (_name, request, violations) => {
    expect(violationsOf(request)).toEqual(violations);
  });
});
