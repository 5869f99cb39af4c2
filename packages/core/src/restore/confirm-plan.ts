import { LifeboatError } from '../errors.ts';
import { type JsonValue, jsonEquals } from '../model/json.ts';
import { describeObject, identifierKey, type ResourceIdentifier } from '../model/kubernetes.ts';
import type { PlannedRestoreItem, RestorePlan } from '../model/restore-plan.ts';
import type { ItemDecision } from './decide-item.ts';

const namedChanges = 10;

/**
 * Holds a plan against one that was made just now of the same backup with the same options.
 *
 * @throws {LifeboatError} code TargetChanged when anything would be done otherwise, naming what.
 */
export function confirmPlan(plan: RestorePlan, now: RestorePlan): void {
  const changes = [...backupChanges(plan, now), ...itemChanges(plan.items, now.items)];
  if (changes.length === 0) {
    return;
  }
  const named = changes.slice(0, namedChanges).join('; ');
  const more = changes.length > namedChanges ? `; and ${changes.length - namedChanges} more` : '';
  throw new LifeboatError(
    `restore: what the plan was made of has changed, so nothing was touched: ${named}${more}. Make a new plan`,
    { code: 'TargetChanged', operation: 'restore', target: plan.restore.metadata.name },
  );
}

/**
 * Keeps a restore to its plan while the target may still change: what is to be written is written only as planned, and anything else
 * is left as it is.
 */
export function keptToPlan(
  plan: RestorePlan,
): (source: ResourceIdentifier, decision: ItemDecision) => ItemDecision {
  const planned = new Map(plan.items.map((item) => [identifierKey(item.source), item]));
  return (source, decision) => {
    const item = planned.get(identifierKey(source));
    const isAsPlanned = item?.action === decision.action;
    if (!isWrite(decision) || isAsPlanned || isAdditionTo(item, decision)) {
      return decision;
    }
    if (item?.action === 'blocked') {
      const { code: reason = 'ItemFailed', reason: message = 'the plan says that it is blocked' } =
        item;
      return { action: 'blocked', blocked: { reason, message } };
    }
    return {
      action: 'conflict',
      code: 'TargetChanged',
      reason: `the plan says ${item?.action ?? 'nothing'} of it, and now it would be ${decision.action}; it is left as it is`,
    };
  };
}

// A namespace comes with a ServiceAccount, which may be there before the planned one: it gets what it lacks.
function isAdditionTo(item: PlannedRestoreItem | undefined, decision: ItemDecision): boolean {
  return (
    item?.action === 'create' && decision.action === 'update' && decision.fallback === undefined
  );
}

function isWrite({ action }: ItemDecision): boolean {
  return action === 'create' || action === 'update' || action === 'recreate';
}

function backupChanges(plan: RestorePlan, now: RestorePlan): readonly string[] {
  return plan.backup.digest === now.backup.digest
    ? []
    : [`backup ${plan.backup.name} has another archive`];
}

function itemChanges(
  before: readonly PlannedRestoreItem[],
  after: readonly PlannedRestoreItem[],
): readonly string[] {
  const left = new Map(before.filter(isDecisive).map((item) => [identifierKey(item.source), item]));
  const right = new Map(after.filter(isDecisive).map((item) => [identifierKey(item.source), item]));
  const changes: string[] = [];
  for (const [key, item] of left) {
    const other = right.get(key);
    if (other === undefined) {
      const what = item.action === 'delete' ? 'to be deleted' : 'restored';
      changes.push(`${describeObject(item.target)} is not ${what} any more`);
    } else if (item.action !== other.action) {
      changes.push(`${describeObject(item.target)} would be ${other.action}, not ${item.action}`);
    } else if (!isSame(item, other)) {
      changes.push(`${describeObject(item.target)} is not as it was`);
    }
  }
  const added = [...right.values()].filter(({ source }) => !left.has(identifierKey(source)));
  return [
    ...changes,
    ...added.map(({ target, action }) => `${describeObject(target)} would be ${action}`),
  ];
}

// What a rollback spares comes and goes, the pods of a Deployment for example.
function isDecisive({ action, isMissingInBackup = false }: PlannedRestoreItem): boolean {
  return action !== 'skip' || !isMissingInBackup;
}

function isSame(left: PlannedRestoreItem, right: PlannedRestoreItem): boolean {
  return jsonEquals(decisiveParts(left), decisiveParts(right));
}

// A plan may lie for a while, and texts are for people; the status of an object changes its version, but not what is done.
function decisiveParts({
  source,
  target,
  action,
  code,
  diff,
  live,
  transforms,
}: PlannedRestoreItem): JsonValue {
  const { namespace, name } = target;
  return {
    ...{ namespace, name, action, code },
    diff: diff?.map(({ ...operation }) => operation),
    // Of what is created nothing else tells what it would be.
    changes: transforms.flatMap(({ patch }) => patch.map(({ ...operation }) => operation)),
    uid: live?.uid,
    // The values of Secrets are not in the plan.
    version: source.groupResource === 'secrets' ? live?.resourceVersion : undefined,
  };
}
