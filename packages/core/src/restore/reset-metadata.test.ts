import { expect, it } from 'vitest';
import { resetMetadata } from './reset-metadata.ts';

it('takes away status and what belongs to one cluster, and keeps the rest', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'settings',
      namespace: 'shop',
      generateName: 'settings-',
      selfLink: '/x',
      uid: 'u',
      resourceVersion: '1',
      generation: 2,
      creationTimestamp: '2026-01-01T00:00:00Z',
      deletionTimestamp: '2026-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 0,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }],
      managedFields: [{ manager: 'kubectl' }],
      labels: { app: 'shop' },
      annotations: { note: 'x' },
      finalizers: ['example.com/keep'],
      futureField: 'kept',
    },
    data: { a: 'b' },
    status: { phase: 'x' },
  };
  expect(resetMetadata(object)).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'settings',
      namespace: 'shop',
      labels: { app: 'shop' },
      annotations: { note: 'x' },
      finalizers: ['example.com/keep'],
      futureField: 'kept',
    },
    data: { a: 'b' },
  });
});
