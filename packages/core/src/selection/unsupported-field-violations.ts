import type { Violation } from '../errors.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';

/** Values of a field that ask for nothing, so that a spec which Velero has filled in is accepted. */
type AsksForNothing = (value: JsonValue) => boolean;

const isFalse: AsksForNothing = (value) => value === false;
const isEmptyText: AsksForNothing = (value) => value === '';
const isEmpty: AsksForNothing = (value) =>
  isJsonArray(value)
    ? value.every(isEmpty)
    : isJsonObject(value) &&
      Object.values(value).every(
        (member) => member === undefined || member === null || isEmpty(member),
      );

/** Fields of a Velero Backup's spec that nothing here acts on yet. */
const unsupported: ReadonlyMap<string, AsksForNothing> = new Map([
  ['snapshotMoveData', isFalse],
  ['defaultVolumesToFsBackup', isFalse],
  ['defaultVolumesToRestic', isFalse],
  ['datamover', isEmptyText],
  ['uploaderConfig', isEmpty],
  ['volumeSnapshotLocations', isEmpty],
]);

/** The fields that are acted on, or that mean nothing for a single backup (`metadata` is of schedules). */
const supported: ReadonlySet<string> = new Set([
  'metadata',
  'includedNamespaces',
  'excludedNamespaces',
  'includedResources',
  'excludedResources',
  'includeClusterResources',
  'includedClusterScopedResources',
  'excludedClusterScopedResources',
  'includedNamespaceScopedResources',
  'excludedNamespaceScopedResources',
  'labelSelector',
  'orLabelSelectors',
  'hooks',
  'orderedResources',
  'resourcePolicy',
  'snapshotVolumes',
  'ttl',
  'storageLocation',
  'csiSnapshotTimeout',
  'volumeGroupSnapshotLabelKey',
  'itemOperationTimeout',
]);

/**
 * Finds the fields of a spec that would be ignored: those that are not supported yet and ask for something, and those that no
 * version of Velero has. A backup that silently leaves out what was asked for is worse than none.
 */
export function unsupportedFieldViolations(spec: JsonObject): readonly Violation[] {
  return Object.entries(spec).flatMap(([field, value]): readonly Violation[] => {
    if (value === undefined || value === null || supported.has(field)) {
      return [];
    }
    const path = `spec.${field}`;
    const asksForNothing = unsupported.get(field);
    if (asksForNothing === undefined) {
      return [{ path, rule: 'is not a field of a Backup' }];
    }
    return asksForNothing(value) ? [] : [{ path, rule: 'is not supported yet', received: value }];
  });
}
