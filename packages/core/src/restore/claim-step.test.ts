import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import { type ClaimStep, claimStepOf, claimsUsedBy } from './claim-step.ts';

function claim(phase: string, annotations: Record<string, string> = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop', annotations },
    status: { phase },
  };
}

const scheduled = claim('Pending', { 'volume.kubernetes.io/selected-node': 'n1' });

describe('claimStepOf', () => {
  const cases: readonly [KubernetesObject, waits: boolean, used: boolean, ClaimStep][] = [
    [claim('Bound'), true, false, 'Bound'],
    [claim('Lost'), false, false, 'Lost'],
    [claim('Pending'), false, false, 'Pending'],
    [claim('Pending'), true, true, 'Pending'],
    [claim('Pending'), true, false, 'WaitingForFirstConsumer'],
    [scheduled, true, false, 'Pending'],
  ];
  it.each(cases)('%j with waiting class %s and consumer %s is %s', (object, waits, used, step) => {
    expect(claimStepOf({ claim: object, waitsForConsumer: waits, hasConsumer: used })).toBe(step);
  });
});

describe('claimsUsedBy', () => {
  const spec: JsonObject = {
    volumes: [
      { name: 'a', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'scratch', ephemeral: {} },
      { name: 'c', configMap: { name: 'x' } },
    ],
  };
  const pod = (phase: string): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec,
    status: { phase },
  });

  it('names the claims of a pod, those that are made for it included', () => {
    expect(claimsUsedBy(pod('Pending'))).toEqual(['data', 'web-scratch']);
  });

  it('names none for a pod that has run to its end', () => {
    expect(claimsUsedBy(pod('Succeeded'))).toEqual([]);
  });
});
