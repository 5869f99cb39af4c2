import { describe, expect, it } from 'vitest';
import type { RestoreStatusSpec } from '../model/restore.ts';
import { createStatusSelection } from './restored-status.ts';

const widgets = 'widgets.example.com';

function decide(
  spec: RestoreStatusSpec | undefined,
  groupResource = widgets,
  asked?: string,
): string {
  const names = new Map([['wd', widgets]]);
  const object = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: {
      name: 'w',
      ...(asked === undefined ? {} : { annotations: { 'velero.io/restore-status': asked } }),
    },
    status: { phase: 'Ready' },
  };
  return createStatusSelection(spec, (name) => names.get(name) ?? name)(groupResource, object).kind;
}

describe('createStatusSelection', () => {
  it.each<[string, RestoreStatusSpec | undefined, string]>([
    ['nothing is asked for', undefined, 'leave'],
    ['all is asked for', {}, 'restore'],
    ['all is asked for by a star', { includedResources: ['*'] }, 'restore'],
    ['it is named', { includedResources: [widgets] }, 'restore'],
    ['it is named by its short name', { includedResources: ['wd'] }, 'restore'],
    ['another is named', { includedResources: ['gadgets.example.com'] }, 'leave'],
    ['it is left out', { excludedResources: ['*.example.com'] }, 'leave'],
    ['it is named and left out', { includedResources: ['*'], excludedResources: ['wd'] }, 'leave'],
  ])('when %s', (_, spec, kind) => {
    expect(decide(spec)).toBe(kind);
  });

  it.each<[string, RestoreStatusSpec | undefined, string]>([
    ['true', undefined, 'restore'],
    [' True ', undefined, 'restore'],
    ['true', { excludedResources: ['*'] }, 'restore'],
    ['FALSE', {}, 'leave'],
    ['yes', {}, 'refuse'],
    ['', {}, 'restore'],
  ])('an annotation %j decides for its object', (asked, spec, kind) => {
    expect(decide(spec, widgets, asked)).toBe(kind);
  });

  it.each([
    'pods',
    'persistentvolumeclaims',
    'persistentvolumes',
    'volumesnapshots.snapshot.storage.k8s.io',
    'volumesnapshotcontents.snapshot.storage.k8s.io',
    'customresourcedefinitions.apiextensions.k8s.io',
  ])('never restores the status of %s', (groupResource) => {
    expect(decide({}, groupResource)).toBe('leave');
    expect(decide({ includedResources: ['*'] }, groupResource)).toBe('leave');
    expect(decide(undefined, groupResource, 'true')).toBe('refuse');
  });
});
