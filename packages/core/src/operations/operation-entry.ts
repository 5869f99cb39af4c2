import type { JsonObject } from '../model/json.ts';
import { formatTimestamp } from '../model/timestamp.ts';

/** An object as Velero names it in the file of item operations. */
export interface OperationItem {
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** An operation that has ended, as the files tell it. */
export interface EndedOperation {
  /** The name of the action. */
  readonly action: string;
  readonly item: OperationItem;
  readonly operationId: string;
  readonly itemsToUpdate: readonly OperationItem[];
  readonly status: OperationEntryStatus;
}

/** Whose operation it is. */
export interface OperationOwner {
  readonly name: string;
  readonly uid?: string | undefined;
}

/** How an operation ended. */
export interface OperationEntryStatus {
  readonly phase: 'Completed' | 'Failed';
  readonly error?: string | undefined;
  readonly completed?: number | undefined;
  readonly total?: number | undefined;
  readonly unit?: string | undefined;
  readonly description?: string | undefined;
  readonly createdAt: Date;
  readonly startedAt: Date;
  readonly updatedAt: Date;
}

/**
 * An entry of a backup's `<name>-itemoperations.json.gz`, in the order in which Velero declares its fields; those without a value are left
 * out, as it does.
 */
export function backupOperationEntry(backup: OperationOwner, ended: EndedOperation): JsonObject {
  const { action, item, operationId, itemsToUpdate } = ended;
  return {
    spec: {
      backupName: backup.name,
      backupUID: backup.uid ?? '',
      backupItemAction: action,
      resourceIdentifier: identifierOf(item),
      operationID: operationId,
      postOperationItems: itemsToUpdate.length === 0 ? null : itemsToUpdate.map(identifierOf),
    },
    status: statusOf(ended),
  };
}

/** An entry of `restore-<name>-itemoperations.json.gz`, likewise. */
export function restoreOperationEntry(restore: OperationOwner, ended: EndedOperation): JsonObject {
  return {
    spec: {
      restoreName: restore.name,
      restoreUID: restore.uid ?? '',
      restoreItemAction: ended.action,
      resourceIdentifier: identifierOf(ended.item),
      operationID: ended.operationId,
    },
    status: statusOf(ended),
  };
}

function statusOf({ status }: EndedOperation): JsonObject {
  const { phase, error, completed, total, unit, description } = status;
  return {
    phase,
    ...unlessEmpty('error', error),
    ...unlessEmpty('nCompleted', completed),
    ...unlessEmpty('nTotal', total),
    ...unlessEmpty('operationUnits', unit),
    ...unlessEmpty('description', description),
    created: formatTimestamp(status.createdAt),
    started: formatTimestamp(status.startedAt),
    updated: formatTimestamp(status.updatedAt),
  };
}

function unlessEmpty(field: string, value: string | number | undefined): JsonObject {
  return value === undefined || value === '' || value === 0 ? {} : { [field]: value };
}

// Go writes these keys capitalised: the struct has no JSON names.
function identifierOf({ group, resource, namespace = '', name }: OperationItem): JsonObject {
  return { Group: group, Resource: resource, Namespace: namespace, Name: name };
}
