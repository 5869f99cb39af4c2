import type { JsonObject } from '../model/json.ts';
import { formatTimestamp } from '../model/timestamp.ts';

/** An object as Velero names it in the file of item operations. */
export interface OperationItem {
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** What an entry of the item operations file is made of. */
export interface OperationEntryInput {
  readonly backup: { readonly name: string; readonly uid?: string | undefined };
  /** The name of the action. */
  readonly action: string;
  readonly item: OperationItem;
  readonly operationId: string;
  readonly itemsToUpdate: readonly OperationItem[];
  readonly status: OperationEntryStatus;
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

/** An entry of `<name>-itemoperations.json.gz`, in the order in which Velero declares its fields; those without a value are left out, as it does. */
export function operationEntry(input: OperationEntryInput): JsonObject {
  const { backup, action, item, operationId, itemsToUpdate, status } = input;
  const { phase, error, completed, total, unit, description } = status;
  return {
    spec: {
      backupName: backup.name,
      backupUID: backup.uid ?? '',
      backupItemAction: action,
      resourceIdentifier: identifierOf(item),
      operationID: operationId,
      postOperationItems: itemsToUpdate.length === 0 ? null : itemsToUpdate.map(identifierOf),
    },
    status: {
      phase,
      ...unlessEmpty('error', error),
      ...unlessEmpty('nCompleted', completed),
      ...unlessEmpty('nTotal', total),
      ...unlessEmpty('operationUnits', unit),
      ...unlessEmpty('description', description),
      created: formatTimestamp(status.createdAt),
      started: formatTimestamp(status.startedAt),
      updated: formatTimestamp(status.updatedAt),
    },
  };
}

function unlessEmpty(field: string, value: string | number | undefined): JsonObject {
  return value === undefined || value === '' || value === 0 ? {} : { [field]: value };
}

// Go writes these keys capitalised: the struct has no JSON names.
function identifierOf({ group, resource, namespace = '', name }: OperationItem): JsonObject {
  return { Group: group, Resource: resource, Namespace: namespace, Name: name };
}
