import type { ObjectReference } from '../../model/kubernetes.ts';
import { objectsAt, stringAt } from '../../model/object-path.ts';
import { Resources } from '../../model/resources.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { BackupItemAction } from '../../ports/item-action.ts';
import { listOnce } from './list-once.ts';

/** `<namespace>/<name>` of a ServiceAccount → the bindings that name it and the ClusterRoles that they grant. */
type Bindings = ReadonlyMap<string, readonly ObjectReference[]>;

/**
 * Pulls along the ClusterRoleBindings that name a ServiceAccount, and their ClusterRoles: without them a restored application
 * may not do what it could do before (velero: `velero.io/service-account`).
 *
 * The bindings are listed once for each backup. A user who may not list them gets one warning instead.
 */
export function createServiceAccountAction(): BackupItemAction {
  const bindings = listOnce<Bindings>({
    list: listBindings,
    withoutRights: new Map(),
    warning: {
      severity: 'warning',
      reason: 'ClusterRoleBindingsNotRead',
      message:
        'ClusterRoleBindings may not be listed, so those of the ServiceAccounts are not in the backup; grant `list` on clusterrolebindings and `get` on clusterroles and clusterrolebindings to have them',
    },
  });
  return {
    name: 'velero.io/service-account',
    appliesTo: { resources: ['serviceaccounts'] },
    async execute(input) {
      const { listed, issues } = await bindings(input);
      const { namespace, name } = input.item.metadata;
      return { additionalItems: listed.get(accountKey(namespace, name)) ?? [], issues };
    },
  };
}

async function listBindings(cluster: Cluster, signal: AbortSignal): Promise<Bindings> {
  const ofAccount = new Map<string, ObjectReference[]>();
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
  return ofAccount;
}

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
