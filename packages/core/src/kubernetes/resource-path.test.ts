import { describe, expect, it } from 'vitest';
import { collectionPath, objectPath, withQuery } from './resource-path.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };
const deployments = { group: 'apps', version: 'v1', resource: 'deployments' };

describe('resource paths', () => {
  it.each([
    [configMaps, undefined, '/api/v1/configmaps'],
    [configMaps, 'shop', '/api/v1/namespaces/shop/configmaps'],
    [deployments, undefined, '/apis/apps/v1/deployments'],
    [deployments, 'shop', '/apis/apps/v1/namespaces/shop/deployments'],
  ])('the collection %o in %s is %s', (resource, namespace, path) => {
    expect(collectionPath('list', resource, namespace)).toBe(path);
  });

  it.each([
    [
      { ...configMaps, namespace: 'shop', name: 'a' },
      undefined,
      '/api/v1/namespaces/shop/configmaps/a',
    ],
    [{ ...configMaps, name: 'system:node:a' }, undefined, '/api/v1/configmaps/system%3Anode%3Aa'],
    [
      { ...deployments, namespace: 'shop', name: 'web' },
      'status',
      '/apis/apps/v1/namespaces/shop/deployments/web/status',
    ],
  ])('the object %o with subresource %s is %s', (reference, subresource, path) => {
    expect(objectPath('get', reference, subresource)).toBe(path);
  });

  it.each(['', '.', '..', 'a/b', '../secrets/x', 'a%2fb'])(
    'a name that would lead elsewhere is Invalid: %j',
    (name) => {
      const error = expect.objectContaining({ code: 'Invalid', operation: 'get' }) as unknown;
      expect(() => objectPath('get', { ...configMaps, namespace: 'shop', name })).toThrow(error);
      expect(() => objectPath('get', { ...configMaps, namespace: name, name: 'a' })).toThrow(error);
    },
  );

  it('a query leaves out what is undefined and escapes the rest', () => {
    expect(withQuery('/x', { a: undefined })).toBe('/x');
    expect(
      withQuery('/x', { labelSelector: 'a in (b, c)', limit: 2, watch: true, no: undefined }),
    ).toBe('/x?labelSelector=a+in+%28b%2C+c%29&limit=2&watch=true');
  });
});
