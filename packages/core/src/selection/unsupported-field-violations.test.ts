import { describe, expect, it } from 'vitest';

import type { JsonValue } from '../model/json.ts';
import { unsupportedFieldViolations } from './unsupported-field-violations.ts';

describe('unsupportedFieldViolations', () => {
  it.each<[string, JsonValue]>([
    ['snapshotMoveData', true],
    ['defaultVolumesToFsBackup', true],
    ['defaultVolumesToRestic', true],
    ['datamover', 'velero'],
    ['uploaderConfig', { parallelFilesUpload: 2 }],
    ['volumeSnapshotLocations', ['aws']],
  ])('refuses %s set to %j as not supported yet', (field, value) => {
    expect(unsupportedFieldViolations({ [field]: value })).toEqual([
      { path: `spec.${field}`, rule: 'is not supported yet', received: value },
    ]);
  });

  it('accepts what Velero writes when nothing was asked for', () => {
    expect(
      unsupportedFieldViolations({
        metadata: {},
        hooks: { resources: [] },
        orLabelSelectors: [],
        resourcePolicy: null,
        snapshotMoveData: false,
        defaultVolumesToFsBackup: false,
        datamover: '',
        uploaderConfig: {},
        volumeSnapshotLocations: [],
        volumeGroupSnapshotLabelKey: 'example.com/group',
      }),
    ).toEqual([]);
  });

  it.each(['includedNamespace', 'toString', '__proto__'])(
    'refuses %s, which is not a field',
    (field) => {
      expect(unsupportedFieldViolations(Object.fromEntries([[field, ['shop']]]))).toEqual([
        { path: `spec.${field}`, rule: 'is not a field of a Backup' },
      ]);
    },
  );
});
