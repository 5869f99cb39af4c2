import { expect, it } from 'vitest';
import {
  apiVersionOf,
  describeObject,
  groupResourceOf,
  identifierOf,
  parseApiVersion,
  referenceTo,
} from './kubernetes.ts';

const deployments = { group: 'apps', version: 'v1', resource: 'deployments' };
const persistentVolumes = { group: '', version: 'v1', resource: 'persistentvolumes' };

it.each([
  { resource: deployments, groupResource: 'deployments.apps', apiVersion: 'apps/v1' },
  { resource: persistentVolumes, groupResource: 'persistentvolumes', apiVersion: 'v1' },
])('names $groupResource and its version', ({ resource, groupResource, apiVersion }) => {
  expect(groupResourceOf(resource)).toBe(groupResource);
  expect(apiVersionOf(resource)).toBe(apiVersion);
  expect(parseApiVersion(apiVersion)).toEqual({
    group: resource.group,
    version: resource.version,
  });
});

it.each([
  {
    reference: { ...deployments, namespace: 'shop', name: 'web' },
    text: 'deployments.apps shop/web',
  },
  { reference: { ...persistentVolumes, name: 'pv-1' }, text: 'persistentvolumes pv-1' },
])('describes $text, with and without its version', ({ reference, text }) => {
  expect(describeObject(reference)).toBe(text);
  expect(describeObject(identifierOf(reference))).toBe(text);
});

it('points at an object by its own name and namespace', () => {
  const metadata = { name: 'web', namespace: 'shop' };
  expect(referenceTo(deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata })).toEqual(
    { ...deployments, ...metadata },
  );
});
