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

const pod = { groupResource: 'pods', namespace: 'shop', name: 'web' };

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
      selection.wants(pod, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'c', labels: { app } },
      });
    expect([labelled('a'), labelled('b'), labelled('c')]).toEqual([true, true, false]);
  });
});

describe('a choice of single objects', () => {
  const only = [{ groupResource: 'cm', namespace: 'shop', name: 'settings' }];
  const canonical = (name: string): string => (name === 'cm' ? 'configmaps' : name);
  const settings = { groupResource: 'configmaps', namespace: 'shop', name: 'settings' };

  it('takes these alone, under any name of their resource, and keeps at hand what they may need', () => {
    const selection = createItemSelection({ backupName: 'b' }, canonical, { only });
    expect(selection.decide(settings)).toBe('restore');
    expect(selection.decide({ ...settings, name: 'other' })).toBe('ignore');
    expect(selection.decide({ ...settings, namespace: 'copy' })).toBe('ignore');
    expect(selection.decide({ groupResource: 'persistentvolumes', name: 'pv' })).toBe('at hand');
  });

  it('takes the snapshot objects of a claim to hand, whatever the filters say', () => {
    const claim = { groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' };
    const spec = {
      backupName: 'b',
      includedResources: ['persistentvolumeclaims'],
      includeClusterResources: false,
    };
    const selection = createItemSelection(spec, canonical, { only: [claim] });
    expect(selection.decide(claim)).toBe('restore');
    const snapshot = {
      groupResource: 'volumesnapshots.snapshot.storage.k8s.io',
      namespace: 'shop',
      name: 'x',
    };
    expect(selection.decide(snapshot)).toBe('at hand');
    const content = { groupResource: 'volumesnapshotcontents.snapshot.storage.k8s.io', name: 'x' };
    expect(selection.decide(content)).toBe('at hand');
  });

  it('may name cluster-scoped objects though namespaces are selected, unless the spec forbids them', () => {
    const role = { groupResource: 'clusterroles.rbac.authorization.k8s.io', name: 'reader' };
    const spec = { backupName: 'b', includedNamespaces: ['shop'] };
    expect(createItemSelection(spec, canonical, { only: [role] }).decide(role)).toBe('restore');
    const without = { ...spec, includeClusterResources: false };
    expect(createItemSelection(without, canonical, { only: [role] }).decide(role)).toBe('ignore');
  });

  it('is narrowed by the spec and by a predicate', () => {
    const spec = { backupName: 'b', excludedNamespaces: ['shop'] };
    expect(createItemSelection(spec, canonical, { only }).decide(settings)).toBe('ignore');
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings' },
      data: { a: 'b' },
    };
    const include = ({ name }: { readonly name: string }): boolean => name !== 'settings';
    const selection = createItemSelection({ backupName: 'b' }, canonical, { include });
    expect(selection.wants(settings, object)).toBe(false);
    expect(selection.wants({ ...settings, name: 'other' }, object)).toBe(true);
  });
});
