import { isJsonObject, type JsonObject } from '../model/json.ts';
import { type JsonPatchOperation, jsonPatchOf } from '../model/json-patch-of.ts';
import { applyMergePatch } from '../model/merge-patch.ts';
import type { PlannedRestoreItem } from '../model/restore-plan.ts';
import type { ItemDecision } from './decide-item.ts';
import type { DecidedItem } from './item-decider.ts';

const leftOut = '(left out)';

/** What a plan says of a decided item, and of who has asked for it if it was not selected. Values of Secrets are left out of it. */
export function plannedItem(
  decided: DecidedItem,
  askedForBy?: PlannedRestoreItem['askedForBy'],
): PlannedRestoreItem {
  const { entry, target, object, decision, changes, item } = decided;
  const isSecret = entry.groupResource === 'secrets';
  const shown = (patch: readonly JsonPatchOperation[]): readonly JsonPatchOperation[] =>
    isSecret ? patch.map(withoutValue) : patch;
  const diff = diffOf(decided);
  const { code, reason } = whyOf(decision);
  const live = decision.action === 'skip' ? undefined : item?.live?.metadata;
  const { groupResource, namespace, name } = entry;
  return {
    source: namespace === undefined ? { groupResource, name } : { groupResource, namespace, name },
    target,
    apiVersion: object?.apiVersion ?? '',
    kind: object?.kind ?? '',
    action: decision.action,
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
    transforms: changes.map(({ step, before, after }) => ({
      step,
      patch: shown(jsonPatchOf(before, after)),
    })),
    ...(askedForBy === undefined ? {} : { askedForBy }),
    ...(diff === undefined ? {} : { diff: shown(diff) }),
    ...(live === undefined
      ? {}
      : { live: { uid: live.uid ?? '', resourceVersion: live.resourceVersion ?? '' } }),
  };
}

function whyOf(decision: ItemDecision): { readonly code?: string; readonly reason?: string } {
  switch (decision.action) {
    case 'create':
      return {};
    case 'blocked':
      return { code: decision.blocked.reason, reason: decision.blocked.message };
    case 'conflict':
      return { code: decision.code, reason: decision.reason };
    default:
      return { reason: decision.reason };
  }
}

function diffOf({ decision, item }: DecidedItem): readonly JsonPatchOperation[] | undefined {
  const patch = patchOf(decision);
  const live = item?.live;
  if (patch === undefined || live === undefined) {
    return undefined;
  }
  const changed = applyMergePatch(live, patch);
  return isJsonObject(changed) ? jsonPatchOf(live, changed) : undefined;
}

function patchOf(decision: ItemDecision): JsonObject | undefined {
  switch (decision.action) {
    case 'update':
    case 'recreate':
    case 'conflict':
      return decision.patch;
    case 'skip':
      return decision.labels;
    default:
      return undefined;
  }
}

// Labels say nothing secret; the annotation of kubectl repeats the data.
function withoutValue(operation: JsonPatchOperation): JsonPatchOperation {
  return operation.op === 'remove' || operation.path.startsWith('/metadata/labels')
    ? operation
    : { ...operation, value: leftOut };
}
