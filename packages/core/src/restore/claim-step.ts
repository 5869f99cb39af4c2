import type { KubernetesObject } from '../model/kubernetes.ts';
import { KubernetesAnnotation } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';
import { claimNamesOf } from '../model/pod-claims.ts';

/** Where a restored claim stands. */
export type ClaimStep = 'Pending' | 'Bound' | 'Lost' | 'WaitingForFirstConsumer';

/**
 * Says where a claim stands. A pending claim whose class waits for a consumer is waiting for one, and no failure, as long as
 * neither a pod uses it nor a node was chosen for it.
 */
export function claimStepOf(input: {
  readonly claim: KubernetesObject;
  readonly waitsForConsumer: boolean;
  readonly hasConsumer: boolean;
}): ClaimStep {
  const { claim, waitsForConsumer, hasConsumer } = input;
  const phase = stringAt(claim, ['status', 'phase']);
  if (phase === 'Bound' || phase === 'Lost') {
    return phase;
  }
  const nodeChosen =
    stringAt(claim, ['metadata', 'annotations', KubernetesAnnotation.selectedNode]) !== undefined;
  return waitsForConsumer && !hasConsumer && !nodeChosen ? 'WaitingForFirstConsumer' : 'Pending';
}

/** The names of the claims that a pod uses, its generic ephemeral ones included; none when it has run to its end. */
export function claimsUsedBy(pod: KubernetesObject): readonly string[] {
  const phase = stringAt(pod, ['status', 'phase']);
  if (phase === 'Succeeded' || phase === 'Failed') {
    return [];
  }
  return claimNamesOf(pod);
}
