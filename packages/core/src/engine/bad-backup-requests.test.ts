import { describe, expect, it, vi } from 'vitest';
import type { BackupOptions } from '../backup/request.ts';
import { ValidationError, type Violation } from '../errors.ts';
import type { BackupSpec } from '../model/backup.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { FaultyObjectStore } from '../testing/faulty-object-store.ts';
import { createEngine } from './create-engine.ts';

// For a busy machine.
vi.setConfig({ testTimeout: 60_000 });

/** What is wrong with a spec: the path, words of the rule, and the value. */
type Expected = readonly [string, RegExp, unknown];
type Row = readonly [string, BackupSpec, ...Expected[]];

const oldStyle: readonly Row[] = [
  [
    'resources beside all of them',
    { includedResources: ['*', 'pods'] },
    ['spec.includedResources', /"\*" alone/, ['*', 'pods']],
  ],
  [
    'resources without any',
    { excludedResources: ['*'] },
    ['spec.excludedResources', /nothing would be left/, ['*']],
  ],
  [
    'a resource in and out',
    { includedResources: ['pods', 'secrets'], excludedResources: ['secrets'] },
    ['spec.excludedResources[0]', /must not be in includedResources too/, 'secrets'],
  ],
  [
    'filters of both styles',
    { includeClusterResources: false, excludedNamespaceScopedResources: ['secrets'] },
    ['spec.includeClusterResources', /cannot be combined/, false],
  ],
];

const scoped: readonly Row[] = (['ClusterScoped', 'NamespaceScoped'] as const).flatMap((scope) => {
  const [included, excluded] = [`included${scope}Resources`, `excluded${scope}Resources`] as const;
  return [
    [
      `${scope} resources beside all of them`,
      { [included]: ['*', 'a'] },
      [`spec.${included}`, /"\*" alone/, ['*', 'a']],
    ],
    [
      `${scope} resources out beside all of them`,
      { [excluded]: ['*', 'a'] },
      [`spec.${excluded}`, /"\*" alone/, ['*', 'a']],
    ],
    [
      `all ${scope} resources out and some in`,
      { [included]: ['a'], [excluded]: ['*'] },
      [`spec.${excluded}`, /must not hold "\*" beside/, ['*']],
    ],
    [
      `a ${scope} resource in and out`,
      { [included]: ['a'], [excluded]: ['a'] },
      [`spec.${excluded}[0]`, new RegExp(`must not be in ${included} too`), 'a'],
    ],
  ];
});

const badPatterns = [
  ...['Shop', 'a_b', '-a', 'a.b', '', 'a**', '**', 'a[', 'a]', 'a[]', 'a|b', 'a(b)'],
  ...['!a', '{a,b}', 'a,b', `${'a'.repeat(64)}`, 'a/b', 'a b', '../a'],
];
const namespaces: readonly Row[] = [
  [
    'namespaces beside all of them',
    { includedNamespaces: ['*', 'shop'] },
    ['spec.includedNamespaces', /"\*" alone/, ['*', 'shop']],
  ],
  [
    'no namespace at all',
    { excludedNamespaces: ['*'] },
    ['spec.excludedNamespaces', /nothing would be left/, ['*']],
  ],
  [
    'a namespace in and out',
    { includedNamespaces: ['shop'], excludedNamespaces: ['shop'] },
    ['spec.excludedNamespaces[0]', /must not be in includedNamespaces too/, 'shop'],
  ],
  ...badPatterns.flatMap((pattern): Row[] => [
    [
      `the included namespace ${JSON.stringify(pattern)}`,
      { includedNamespaces: ['shop', pattern] },
      ['spec.includedNamespaces[1]', /./, pattern],
    ],
    [
      `the excluded namespace ${JSON.stringify(pattern)}`,
      { excludedNamespaces: [pattern] },
      ['spec.excludedNamespaces[0]', /./, pattern],
    ],
  ]),
];

const others: readonly Row[] = [
  [
    'selectors of both kinds',
    { labelSelector: {}, orLabelSelectors: [{ matchLabels: { a: 'b' } }] },
    ['spec.orLabelSelectors', /cannot be combined/, [{ matchLabels: { a: 'b' } }]],
  ],
  [
    'a snapshot location, which nothing acts on',
    { volumeSnapshotLocations: ['default'] },
    ['spec.volumeSnapshotLocations', /not supported/, ['default']],
  ],
  [
    'a storage location that is no name',
    { storageLocation: 7 as unknown as string },
    ['spec.storageLocation', /must be a string/, 7],
  ],
  ['a duration', { ttl: 'soon' }, ['spec.ttl', /must be a duration/, 'soon']],
  [
    'a policy of another kind',
    { resourcePolicy: { kind: 'secret', name: 'p' } },
    ['spec.resourcePolicy.kind', /must be "configmap"/, 'secret'],
  ],
  [
    'a field of no version',
    { includedNamespace: ['shop'] },
    ['spec.includedNamespace', /is not a field of a Backup/, undefined],
  ],
];

const policies: readonly (readonly [string, string, ...Expected[]])[] = [
  ['a text that is no YAML', 'version: [', ['options.resourcePolicy', /YAML/, undefined]],
  ['a list', '- a', ['options.resourcePolicy', /must be/, ['a']]],
  ['nothing', '', ['options.resourcePolicy', /must be/, null]],
  ['no version', 'volumePolicies: []', ['options.resourcePolicy.version', /required/, undefined]],
  ['another version', 'version: v2', ['options.resourcePolicy.version', /must be/, 'v2']],
  [
    'an unknown field',
    'version: v1\nvolumes: []',
    ['options.resourcePolicy.volumes', /is not a field/, []],
  ],
  [
    'a list that is none',
    'version: v1\nvolumePolicies: {}',
    ['options.resourcePolicy.volumePolicies', /must be/, {}],
  ],
  [
    'an unknown condition, and an unknown action',
    'version: v1\nvolumePolicies:\n- conditions: {colour: red}\n  action: {type: burn}',
    ['options.resourcePolicy.volumePolicies[0].conditions.colour', /is not/, 'red'],
    ['options.resourcePolicy.volumePolicies[0].action.type', /must be/, 'burn'],
  ],
  [
    'a capacity that is none',
    'version: v1\nvolumePolicies:\n- conditions: {capacity: big}\n  action: {type: skip}',
    ['options.resourcePolicy.volumePolicies[0].conditions.capacity', /./, 'big'],
  ],
];

describe('a request that is not valid is refused with rule and value, and nothing is touched', () => {
  const specs = [...oldStyle, ...scoped, ...namespaces, ...others];
  it.each(specs.map(([what, spec, ...expected]) => ({ what, spec, expected })))(
    '$what',
    async ({ spec, expected }) => {
      expectViolations(await violationsOf(spec), expected);
    },
  );

  it.each(
    policies.map(([what, resourcePolicy, ...expected]) => ({ what, resourcePolicy, expected })),
  )('a policy of the call: $what', async ({ resourcePolicy, expected }) => {
    expectViolations(await violationsOf({}, { resourcePolicy }), expected);
  });

  it('a policy for resources beside filters of the old style', async () => {
    const resourcePolicy = 'version: v1\nincludeExcludePolicy: {}';
    expectViolations(await violationsOf({ includedResources: ['pods'] }, { resourcePolicy }), [
      ['options.resourcePolicy.includeExcludePolicy', /cannot be combined/, {}],
    ]);
  });

  it('everything at once', async () => {
    const all = [...oldStyle.slice(0, 1), ...scoped.slice(0, 1), ...others];
    const spec = all.reduce<BackupSpec>((merged, [, one]) => ({ ...merged, ...one }), {});
    const violations = await violationsOf(spec, {
      resourcePolicy: 'version: v2',
      include: 'all' as unknown as () => boolean,
    });
    expect(new Set(violations.map(({ path }) => path))).toEqual(
      new Set([
        ...all.flatMap(([, , ...expected]) => expected.map(([path]) => path)),
        'spec.includedResources',
        'spec.resourcePolicy.kind',
        'options.include',
        'options.resourcePolicy.version',
      ]),
    );
  });
});

const configMaps: readonly (readonly [string, Record<string, string> | undefined, RegExp])[] = [
  ['is missing', undefined, /^spec\.resourcePolicy\.name must name a ConfigMap of/],
  ['has no key', {}, /^spec\.resourcePolicy\.name .* exactly one key/],
  ['has two keys', { a: 'version: v1', b: '' }, /^spec\.resourcePolicy\.name .* exactly one key/],
  ['holds no YAML', { p: '"' }, /^spec\.resourcePolicy\.data\["p"\] /],
  ['holds an unknown field', { p: 'version: v1\nx: 1' }, /^spec\.resourcePolicy\.data\["p"\]\.x /],
];

it.each(configMaps)('a ConfigMap for the policy that %s', async (_what, data, expected) => {
  await using cluster = new FakeCluster();
  const metadata = { namespace: 'velero', name: 'policy' };
  cluster.seed(data === undefined ? [] : [{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }]);
  const violations = await violationsOf(
    { resourcePolicy: { kind: 'configmap', name: 'policy' } },
    {},
    cluster,
  );
  expect(violations.map(({ path, rule }) => `${path} ${rule}`)).toEqual([
    expect.stringMatching(expected),
  ]);
  expect(cluster.requests).toEqual([
    { operation: 'get', resource: 'configmaps', namespace: 'velero', name: 'policy' },
  ]);
});

async function violationsOf(
  spec: BackupSpec,
  options: BackupOptions = {},
  given?: FakeCluster,
): Promise<readonly Violation[]> {
  await using own = new FakeCluster();
  const cluster = given ?? own;
  const store = new FaultyObjectStore(new MemoryObjectStore());
  const touches = (['put', 'get', 'stat', 'list', 'listPrefixes', 'delete'] as const).map(
    (operation) => store.inject({ operation, times: Number.POSITIVE_INFINITY }),
  );
  const engine = createEngine({ cluster, podExec: cluster.podExec, store });
  const refusal: unknown = await engine
    .backup({ name: 'bad', spec }, options)
    .catch((error: unknown) => error);
  expect(touches.map(({ hits }) => hits)).toEqual(touches.map(() => 0));
  expect(own.requests).toEqual([]);
  if (!(refusal instanceof ValidationError)) {
    throw new Error('the request was not refused', { cause: refusal });
  }
  expect(refusal.code).toBe('Validation');
  for (const { path } of refusal.violations) {
    expect(refusal.message).toContain(path);
  }
  return refusal.violations;
}

function expectViolations(violations: readonly Violation[], expected: readonly Expected[]): void {
  expect(violations).toEqual(
    expected.map(([path, rule, received]) => ({
      path,
      rule: expect.stringMatching(rule) as string,
      ...(received === undefined ? {} : { received }),
    })),
  );
}
