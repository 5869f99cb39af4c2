import { objectsAt, stringAt, withValueAt } from '../../model/object-path.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';

/** Removes an account's reference to the token that was generated for it (velero: `velero.io/service-account`). */
export const serviceAccountAction: RestoreItemAction = {
  name: 'velero.io/service-account',
  appliesTo: { resources: ['serviceaccounts'] },
  async execute({ item, itemFromBackup }) {
    const prefix = `${itemFromBackup.metadata.name}-token-`;
    const secrets = objectsAt(item, ['secrets']);
    const kept = secrets.filter((secret) => !stringAt(secret, ['name'])?.startsWith(prefix));
    return kept.length === secrets.length ? {} : { item: withValueAt(item, ['secrets'], kept) };
  },
};
