import { objectsAt, stringAt, withValueAt } from '../../model/object-path.ts';
import type { RestoreItemAction } from '../../ports/item-action.ts';

/**
 * Says of webhooks that say nothing else that they have no side effects, without which v1 takes none that older versions took (velero:
 * `velero.io/admission-webhook-configuration`).
 */
export const admissionWebhookConfigurationAction: RestoreItemAction = {
  name: 'velero.io/admission-webhook-configuration',
  appliesTo: {
    resources: [
      'mutatingwebhookconfigurations.admissionregistration.k8s.io',
      'validatingwebhookconfigurations.admissionregistration.k8s.io',
    ],
  },
  async execute({ item }) {
    const webhooks = objectsAt(item, ['webhooks']);
    const isKnown = webhooks.every((webhook) => {
      const sideEffects = stringAt(webhook, ['sideEffects']);
      return sideEffects === 'None' || sideEffects === 'NoneOnDryRun';
    });
    if (isKnown || item.apiVersion !== 'admissionregistration.k8s.io/v1') {
      return {};
    }
    const withSideEffects = webhooks.map((webhook) =>
      stringAt(webhook, ['sideEffects']) === 'NoneOnDryRun'
        ? webhook
        : withValueAt(webhook, ['sideEffects'], 'None'),
    );
    return { item: withValueAt(item, ['webhooks'], withSideEffects) };
  },
};
