import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { differenceInMeaning } from './difference-in-meaning.ts';

const pod = (fields: JsonObject): JsonObject => ({ spec: { template: { spec: fields } } });

describe('differenceInMeaning', () => {
  it.each<[string, string, JsonObject, JsonObject]>([
    ['missing and empty', 'ConfigMap', { data: {}, binaryData: null }, {}],
    ['an empty list and a missing one', 'Role', {}, { rules: [] }],
    ['the order of members', 'ConfigMap', { a: 1, b: 2 }, { b: 2, a: 1 }],
    [
      'two ways to write a quantity',
      'ResourceQuota',
      { spec: { hard: { cpu: '1', pods: 3 } } },
      { spec: { hard: { cpu: '1000m', pods: '3' } } },
    ],
    [
      'addresses and ports that the cluster chose',
      'Service',
      {
        spec: {
          clusterIP: '10.0.0.9',
          clusterIPs: ['10.0.0.9'],
          internalTrafficPolicy: 'Cluster',
          ports: [{ port: 80, targetPort: 80, nodePort: 31000 }],
        },
      },
      { spec: { ports: [{ port: 80 }] } },
    ],
    [
      'defaults of a newer server in a pod template',
      'Deployment',
      pod({ containers: [{ name: 'a' }], preemptionPolicy: 'PreemptLowerPriority' }),
      pod({ containers: [{ name: 'a' }] }),
    ],
    ['the node of a pod', 'Pod', { spec: { nodeName: 'n', priority: 0 } }, { spec: {} }],
    [
      'the selector of a job for its pods',
      'Job',
      { spec: { selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } } } },
      { spec: { selector: { matchLabels: {} } } },
    ],
    [
      'the volume of a claim',
      'PersistentVolumeClaim',
      { spec: { volumeName: 'pv-1', dataSourceRef: { kind: 'x' } } },
      { spec: {} },
    ],
  ])('%s make no difference', (_name, kind, live, wanted) => {
    expect(differenceInMeaning(kind, live, wanted)).toBeUndefined();
  });

  it.each<[string, string, JsonObject, JsonObject, JsonValue]>([
    [
      'a changed value',
      'ConfigMap',
      { data: { a: '1' } },
      { data: { a: '2' } },
      { data: { a: '2' } },
    ],
    ['an added member', 'ConfigMap', { data: {} }, { data: { a: '2' } }, { data: { a: '2' } }],
    [
      'a member too many',
      'ConfigMap',
      { data: { a: '1', b: '2' } },
      { data: { a: '1' } },
      { data: { b: null } },
    ],
    [
      'text that reads like equal quantities',
      'ConfigMap',
      { data: { cpu: '1' } },
      { data: { cpu: '1000m' } },
      { data: { cpu: '1000m' } },
    ],
    [
      'an address that was asked for',
      'Service',
      { spec: { clusterIP: '10.0.0.9' } },
      { spec: { clusterIP: 'None' } },
      { spec: { clusterIP: 'None' } },
    ],
    [
      'a default that somebody has changed',
      'Service',
      { spec: { internalTrafficPolicy: 'Local' } },
      { spec: {} },
      { spec: { internalTrafficPolicy: null } },
    ],
    [
      'a list, which is replaced as a whole',
      'Service',
      { spec: { ports: [{ port: 80, nodePort: 31000 }, { port: 81 }] } },
      { spec: { ports: [{ port: 80 }] } },
      { spec: { ports: [{ port: 80 }] } },
    ],
    [
      'an address of something else',
      'Gizmo',
      { spec: { clusterIP: 'x' } },
      { spec: {} },
      { spec: { clusterIP: null } },
    ],
  ])('%s makes a difference', (_name, kind, live, wanted, patch) => {
    expect(differenceInMeaning(kind, live, wanted)).toEqual(patch);
  });
});
