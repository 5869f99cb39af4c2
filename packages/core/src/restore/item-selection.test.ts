import { describe, expect, it } from 'vitest';
import type { ResourceIdentifier } from '../model/kubernetes.ts';
import type { RestoreSpec } from '../model/restore.ts';
import { createItemSelection, type EntryDecision } from './item-selection.ts';
import { nonRestorableResources } from './non-restorable.ts';

const shortNames = new Map([['deploy', 'deployments.apps']]);

function decide(spec: Partial<RestoreSpec>, path: string): EntryDecision {
  const [groupResource = '', scope = ''] = path.split(' ');
  const [namespace, name] = scope.split('/');
  const entry: ResourceIdentifier =
    name === undefined
      ? { groupResource, name: namespace ?? '' }
      : { groupResource, namespace, name };
  const { excludedResources = [] } = spec;
  const selection = createItemSelection(
    {
      backupName: 'b',
      ...spec,
      excludedResources: [...excludedResources, ...nonRestorableResources],
    },
    (resource) => shortNames.get(resource) ?? resource,
  );
  return selection.decide(entry);
}

describe('createItemSelection', () => {
  const cases: readonly [spec: Partial<RestoreSpec>, entry: string, decision: EntryDecision][] = [
    [{}, 'configmaps shop/settings', 'restore'],
    [{}, 'clusterroles.rbac.authorization.k8s.io admin', 'restore'],
    [{}, 'namespaces shop', 'restore'],
    [{}, 'events shop/e', 'ignore'],
    [{}, 'nodes n', 'ignore'],
    [{}, 'volumesnapshots.snapshot.storage.k8s.io shop/s', 'at hand'],
    [{}, 'volumesnapshotcontents.snapshot.storage.k8s.io c', 'at hand'],
    [{}, 'datauploads.velero.io velero/d', 'ignore'],
    [{ includedNamespaces: ['shop'] }, 'configmaps shop/settings', 'restore'],
    [{ includedNamespaces: ['shop'] }, 'configmaps other/settings', 'ignore'],
    [{ includedNamespaces: ['sh*'] }, 'configmaps shop/settings', 'restore'],
    [{ includedNamespaces: ['*'] }, 'storageclasses.storage.k8s.io c', 'restore'],
    [{ includedNamespaces: ['shop'] }, 'storageclasses.storage.k8s.io c', 'ignore'],
    [{ includedNamespaces: ['shop'] }, 'persistentvolumes v', 'at hand'],
    [{ includedNamespaces: ['shop'] }, 'priorityclasses.scheduling.k8s.io p', 'at hand'],
    [{ includedNamespaces: ['shop'] }, 'namespaces shop', 'at hand'],
    [{ excludedNamespaces: ['other'] }, 'configmaps other/settings', 'ignore'],
    [{ excludedNamespaces: ['other'] }, 'storageclasses.storage.k8s.io c', 'ignore'],
    [
      { includedNamespaces: ['shop'], includeClusterResources: true },
      'storageclasses.storage.k8s.io c',
      'restore',
    ],
    [{ includeClusterResources: false }, 'storageclasses.storage.k8s.io c', 'ignore'],
    [{ includedResources: ['deploy'] }, 'deployments.apps shop/web', 'restore'],
    [{ includedResources: ['deploy'] }, 'configmaps shop/settings', 'ignore'],
    [{ includedResources: ['*.apps'] }, 'deployments.apps shop/web', 'restore'],
    [{ excludedResources: ['deploy'] }, 'deployments.apps shop/web', 'ignore'],
    [
      { includedResources: ['persistentvolumeclaims'] },
      'volumesnapshots.snapshot.storage.k8s.io shop/s',
      'at hand',
    ],
  ];

  it.each(cases)('with %j decides about %s: %s', (spec, entry, decision) => {
    expect(decide(spec, entry)).toBe(decision);
  });

  it('selects by labels, where any of several selectors may match', () => {
    const selection = createItemSelection(
      {
        backupName: 'b',
        orLabelSelectors: [{ matchLabels: { app: 'a' } }, { matchLabels: { app: 'b' } }],
      },
      (name) => name,
    );
    const labelled = (app: string): boolean =>
      selection.hasSelectedLabels({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'c', labels: { app } },
      });
    expect([labelled('a'), labelled('b'), labelled('c')]).toEqual([true, true, false]);
  });
});
