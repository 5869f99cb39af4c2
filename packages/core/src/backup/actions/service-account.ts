import { isLifeboatError } from '../../errors.ts';
import type { Backup } from '../../model/backup.ts';
import type { Issue } from '../../model/issue.ts';
import type { ObjectReference } from '../../model/kubernetes.ts';
import { objectsAt, stringAt } from '../../model/object-path.ts';
import { Resources } from '../../model/resources.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { BackupItemAction } from '../../ports/item-action.ts';

interface Bindings {
  /** `<namespace>/<name>` of a ServiceAccount → the bindings that name it and the ClusterRoles that they grant. */
  readonly ofAccount: ReadonlyMap<string, readonly ObjectReference[]>;
  readonly issues: readonly Issue[];
}

/**
 * Pulls along the ClusterRoleBindings that name a ServiceAccount, and their ClusterRoles: without them a restored application
 * may not do what it could do before (velero: `velero.io/service-account`).
 *
 * The bindings are listed once for each backup. A user who may not list them gets one warning instead.
 */
export function createServiceAccountAction(): BackupItemAction {
  const known = new WeakMap<Backup, Promise<Bindings>>();
  const reported = new WeakSet<Bindings>();
  return {
    name: 'velero.io/service-account',
    appliesTo: { resources: ['serviceaccounts'] },
    async execute({ item, backup, cluster, signal }) {
      const listing = known.get(backup) ?? listBindings(cluster, signal);
      known.set(backup, listing);
      const bindings = await listing;
      const issues = reported.has(bindings) ? [] : bindings.issues;
      reported.add(bindings);
      const account = accountKey(item.metadata.namespace, item.metadata.name);
      return { additionalItems: bindings.ofAccount.get(account) ?? [], issues };
    },
  };
}

async function listBindings(cluster: Cluster, signal: AbortSignal): Promise<Bindings> {
  const ofAccount = new Map<string, ObjectReference[]>();
  try {
    for await (const binding of cluster.list(Resources.clusterRoleBindings, { signal })) {
      const pulled: ObjectReference[] = [
        { ...Resources.clusterRoleBindings, name: binding.metadata.name },
      ];
      const role = stringAt(binding, ['roleRef', 'name']);
      if (role !== undefined && stringAt(binding, ['roleRef', 'kind']) === 'ClusterRole') {
        pulled.push({ ...Resources.clusterRoles, name: role });
      }
      for (const account of accountsOf(objectsAt(binding, ['subjects']))) {
        ofAccount.set(account, [...(ofAccount.get(account) ?? []), ...pulled]);
      }
    }
  } catch (error) {
    if (!isLifeboatError(error, 'Forbidden')) {
      throw error;
    }
    return { ofAccount: new Map(), issues: [bindingsNotRead] };
  }
  return { ofAccount, issues: [] };
}

const bindingsNotRead: Issue = {
  severity: 'warning',
  reason: 'ClusterRoleBindingsNotRead',
  message:
    'ClusterRoleBindings may not be listed, so those of the ServiceAccounts are not in the backup; grant `list` on clusterrolebindings and `get` on clusterroles and clusterrolebindings to have them',
};

function accountsOf(subjects: ReturnType<typeof objectsAt>): ReadonlySet<string> {
  return new Set(
    subjects
      .filter((subject) => stringAt(subject, ['kind']) === 'ServiceAccount')
      .map((subject) => accountKey(stringAt(subject, ['namespace']), stringAt(subject, ['name']))),
  );
}

function accountKey(namespace = '', name = ''): string {
  return `${namespace}/${name}`;
}
