import { stringAt, withoutValueAt } from '../../model/object-path.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';

const serviceAccountName = 'kubernetes.io/service-account.name';
const serviceAccountUid = 'kubernetes.io/service-account.uid';

/**
 * Has the tokens of service accounts issued anew (velero: `velero.io/secret`). One that was generated for its account is
 * left out: the account gets another. One that somebody asked for keeps its name and loses what the old cluster signed.
 */
export const secretAction: RestoreItemAction = {
  name: 'velero.io/secret',
  appliesTo: { resources: ['secrets'] },
  async execute({ item, itemFromBackup }) {
    if (stringAt(itemFromBackup, ['type']) !== 'kubernetes.io/service-account-token') {
      return {};
    }
    const { annotations = {}, name } = itemFromBackup.metadata;
    const account = annotations[serviceAccountName];
    if (account !== undefined && name.startsWith(`${account}-token-`)) {
      return { skip: `it was generated for ServiceAccount ${account}, which gets a new one` };
    }
    const withoutUid = withoutValueAt(item, ['metadata', 'annotations', serviceAccountUid]);
    // The controller writes what is missing, and leaves a namespace that is there though it may be the wrong one.
    const fields = ['token', 'ca.crt', 'namespace'];
    return {
      item: fields.reduce((result, field) => withoutValueAt(result, ['data', field]), withoutUid),
    };
  },
};
