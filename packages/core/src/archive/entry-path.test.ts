import { describe, expect, it } from 'vitest';
import { entryPathsOf, parseEntryPath } from './entry-path.ts';

const locations = [
  {
    location: { group: '', version: 'v1', resource: 'pods', namespace: 'shop', name: 'web-0' },
    paths: [
      'resources/pods/namespaces/shop/web-0.json',
      'resources/pods/v1-preferredversion/namespaces/shop/web-0.json',
    ],
  },
  {
    location: {
      group: 'snapshot.storage.k8s.io',
      version: 'v1',
      resource: 'volumesnapshotcontents',
      name: 'snapcontent-1',
    },
    paths: [
      'resources/volumesnapshotcontents.snapshot.storage.k8s.io/cluster/snapcontent-1.json',
      'resources/volumesnapshotcontents.snapshot.storage.k8s.io/v1-preferredversion/cluster/snapcontent-1.json',
    ],
  },
  {
    location: { group: '', version: 'v1', resource: 'pods', namespace: 'cluster', name: 'a' },
    paths: [
      'resources/pods/namespaces/cluster/a.json',
      'resources/pods/v1-preferredversion/namespaces/cluster/a.json',
    ],
  },
  {
    location: {
      group: 'rbac.authorization.k8s.io',
      version: 'v1',
      resource: 'clusterroles',
      name: 'system:Controller:öffnen, bitte',
    },
    paths: [
      'resources/clusterroles.rbac.authorization.k8s.io/cluster/system:Controller:öffnen, bitte.json',
      'resources/clusterroles.rbac.authorization.k8s.io/v1-preferredversion/cluster/system:Controller:öffnen, bitte.json',
    ],
  },
];

describe('entryPathsOf', () => {
  it.each(locations)('places $location.name as Velero does', ({ location, paths }) => {
    expect(entryPathsOf(location)).toEqual(paths);
  });

  it.each(locations)('is undone by parseEntryPath: $location.name', ({ location }) => {
    const [plain, versioned] = entryPathsOf(location).map(parseEntryPath);
    const { group, resource, namespace, name, version } = location;
    const expected = {
      groupResource: group === '' ? resource : `${resource}.${group}`,
      ...(namespace !== undefined && { namespace }),
      name,
    };
    expect(plain).toEqual(expected);
    expect(versioned).toEqual({ ...expected, versionDirectory: `${version}-preferredversion` });
  });
});

describe('parseEntryPath', () => {
  it('reads the copy of another version', () => {
    expect(parseEntryPath('resources/jobs.batch/v1beta1/namespaces/shop/a.json')).toEqual({
      groupResource: 'jobs.batch',
      versionDirectory: 'v1beta1',
      namespace: 'shop',
      name: 'a',
    });
  });

  it.each([
    '',
    'metadata/version',
    'resources',
    'resources/pods',
    'resources/pods/namespaces/shop',
    'resources/pods/namespaces/shop/',
    'resources/pods/namespaces/shop/a',
    'resources/pods/namespaces/shop/.json',
    'resources/pods/namespaces/shop/..json',
    'resources/pods/namespaces/shop/...json',
    'resources/pods/namespaces/shop/a/b.json',
    'resources/pods/namespaces/../a.json',
    'resources/pods/namespaces/shop/../../../../etc/passwd.json',
    'resources/../namespaces/shop/a.json',
    'resources/pods/cluster/shop/a.json',
    'resources/pods/v1/shop/a.json',
    'resources/pods/../cluster/a.json',
    'resources/pods/v1/v1/cluster/a.json',
    'resources//cluster/a.json',
    '/resources/pods/namespaces/shop/a.json',
    './resources/pods/namespaces/shop/a.json',
    'resources/Pods/cluster/a.json',
    'resources/pods/namespaces/Shop/a.json',
    'resources/pods/namespaces/shop/a\\b.json',
    'resources/pods/namespaces/shop/a%2fb.json',
    'resources/pods/namespaces/shop/a\0b.json',
    'resources/pods/namespaces/shop/a\nb.json',
    `resources/pods/namespaces/shop/${'a'.repeat(1_025)}.json`,
    `resources/pods/namespaces/${'a'.repeat(64)}/a.json`,
  ])('does not take %j for the path of an object', (path) => {
    expect(parseEntryPath(path)).toBeUndefined();
  });
});
