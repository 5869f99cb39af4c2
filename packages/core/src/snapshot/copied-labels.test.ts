import { expect, it } from 'vitest';
import { copiedLabels } from './copied-labels.ts';

it.each([
  'app',
  'app.kubernetes.io/name',
  'app.kubernetes.io/component',
  'example.com/team',
  'notvelero.io/x',
  'kubernetes.io/arch',
])('copies %s', (key) => {
  expect(copiedLabels({ [key]: 'x' })).toEqual({ [key]: 'x' });
});

it.each([
  'app.kubernetes.io/instance',
  'app.kubernetes.io/managed-by',
  'argocd.argoproj.io/instance',
  'kustomize.toolkit.fluxcd.io/name',
  'helm.toolkit.fluxcd.io/namespace',
  'kapp.k14s.io/app',
  'objectset.rio.cattle.io/hash',
  'applyset.kubernetes.io/part-of',
  'addonmanager.kubernetes.io/mode',
  'olm.owner',
  'helm.sh/chart',
  'velero.io/restore-name',
  'velero.io/backup-name',
  'backup.velero.io/must-include-additional-items',
  'lifeboat.dev/run',
])('does not copy %s', (key) => {
  expect(copiedLabels({ [key]: 'x', app: 'shop' })).toEqual({ app: 'shop' });
});

it('copies nothing of a claim without labels', () => {
  expect(copiedLabels(undefined)).toEqual({});
});
