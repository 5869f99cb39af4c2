import type { Backup } from '../model/backup.ts';
import type { Issue } from '../model/issue.ts';
import { jsonEquals } from '../model/json.ts';
import type {
  KubernetesManifest,
  KubernetesObject,
  ResourceIdentifier,
} from '../model/kubernetes.ts';
import { withValueAt } from '../model/object-path.ts';
import type { Restore } from '../model/restore.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { RestoreItemAction, RestoreItemOutput } from '../ports/item-action.ts';
import type { ItemOperation } from '../ports/item-operation.ts';
import { resetMetadata } from './reset-metadata.ts';
import { withRestoreLabels } from './restore-labels.ts';

/** What is known of an object while it is prepared. */
export interface PreparationContext {
  readonly groupResource: string;
  /** As things stand: a step may give the object another name. */
  readonly target: ResourceIdentifier;
  /** The object as the backup holds it, with its status. */
  readonly itemFromBackup: KubernetesObject;
  readonly restore: Restore;
  readonly backup: Backup;
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
  /** Restores what a step asks for before the object; resolves with what there is to say. @default nothing is restored */
  readonly restoreBefore?:
    | ((wanted: AdditionalItemsRequest, step: string) => Promise<readonly Issue[]>)
    | undefined;
  /** Follows what a step has begun for the object. Absent: it is only planned. */
  readonly beginOperation?:
    | ((operation: ItemOperation, step: string, target: ResourceIdentifier) => void)
    | undefined;
  /** Whether what each step changed is kept, which costs time and memory. @default false */
  readonly keepsChanges?: boolean | undefined;
}

/** What a step asks for before an object is restored: objects by names of the backup, and whether to wait until they are ready. */
export type AdditionalItemsRequest = Pick<
  RestoreItemOutput,
  'additionalItems' | 'areAdditionalItemsReady' | 'additionalItemsReadyTimeoutMs'
>;

/** What a step makes of an object. */
export interface PreparationOutput extends AdditionalItemsRequest {
  /** @default the object as it came in */
  readonly item?: KubernetesManifest | undefined;
  /** Why the object is not wanted. */
  readonly skip?: string | undefined;
  /** Why it cannot be created, though it is wanted. */
  readonly blocked?: BlockedItem | undefined;
  readonly issues?: readonly Issue[] | undefined;
  /** Work that goes on, whatever becomes of the object. */
  readonly operation?: ItemOperation | undefined;
}

/** Why an object that is wanted cannot be created. */
export interface BlockedItem {
  /** Reason of the issue. */
  readonly reason: string;
  readonly message: string;
  /** `none`: what is the matter is an issue already. @default 'error' */
  readonly severity?: Issue['severity'] | 'none' | undefined;
}

/**
 * One step on the way from an archived object to the one that is created: an item action, a resource modifier, a transform.
 * The namespace of the object is still the one in the backup. One that rejects fails its object.
 */
export interface PreparationStep {
  /** Unique; a plan names it as the cause of what it changed. */
  readonly name: string;
  /** Absent: every resource. */
  readonly resources?: readonly string[] | undefined;
  run(item: KubernetesManifest, context: PreparationContext): Promise<PreparationOutput>;
}

/** What a step changed. */
export interface PreparationChange {
  readonly step: string;
  readonly before: KubernetesManifest;
  readonly after: KubernetesManifest;
}

/** What became of an archived object on its way to the target. */
export type PreparedItem = { readonly issues: readonly Issue[] } & (
  | {
      readonly kind: 'manifest';
      /** What to create: in its target namespace, labelled. */
      readonly manifest: KubernetesManifest;
      readonly target: ResourceIdentifier;
      /** In the order in which they were made; empty unless they are kept. */
      readonly changes: readonly PreparationChange[];
    }
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'blocked'; readonly blocked: BlockedItem }
);

/** An item action as a step. */
export function actionStep(action: RestoreItemAction): PreparationStep {
  return {
    name: action.name,
    resources: action.appliesTo.resources,
    run: (item, { itemFromBackup, target, restore, backup, cluster, signal, beginOperation }) =>
      action.execute({
        ...{ item, itemFromBackup, restore, backup, cluster, signal },
        purpose: beginOperation === undefined ? 'plan' : 'restore',
        targetNamespace: target.namespace,
      }),
  };
}

/**
 * Makes the object to create out of an archived one: metadata reset, then the steps in their order, then target namespace
 * and labels. Planning and restoring both go through here. Rejects when a step does.
 */
export async function prepareItem(
  steps: readonly PreparationStep[],
  context: PreparationContext,
): Promise<PreparedItem> {
  const issues: Issue[] = [];
  const changes: PreparationChange[] = [];
  let item = resetMetadata(context.itemFromBackup);
  for (const step of steps) {
    if (step.resources?.includes(context.groupResource) === false) {
      continue;
    }
    const output = await step.run(item, context);
    // Before anything can fail: whatever becomes of the object, it has begun.
    if (output.operation !== undefined) {
      context.beginOperation?.(output.operation, step.name, context.target);
    }
    issues.push(...(output.issues ?? []));
    if (output.blocked !== undefined) {
      return { kind: 'blocked', blocked: output.blocked, issues };
    }
    if (output.skip !== undefined) {
      return { kind: 'skip', reason: output.skip, issues };
    }
    const { item: after = item, additionalItems, areAdditionalItemsReady } = output;
    if (additionalItems !== undefined || areAdditionalItemsReady !== undefined) {
      issues.push(...((await context.restoreBefore?.(output, step.name)) ?? []));
    }
    if (context.keepsChanges === true && after !== item && !jsonEquals(after, item)) {
      changes.push({ step: step.name, before: item, after });
    }
    item = after;
  }
  return { kind: 'manifest', ...located(item, context), changes, issues };
}

function located(
  item: KubernetesManifest,
  { target: { groupResource, namespace, name: archivedName }, restore }: PreparationContext,
): { readonly manifest: KubernetesManifest; readonly target: ResourceIdentifier } {
  const { name = archivedName } = item.metadata;
  if (namespace === undefined) {
    return { manifest: withRestoreLabels(item, restore), target: { groupResource, name } };
  }
  const placed = withValueAt(item, ['metadata', 'namespace'], namespace);
  return {
    manifest: withRestoreLabels(placed, restore),
    target: { groupResource, namespace, name },
  };
}
