import type { BackupOptions, BackupSpec, ResourceIdentifier } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { applyReference } from './apply-reference.ts';
import { BackupLab } from './backup-lab.ts';
import { neutralText } from './neutral-json.ts';
import { ReferenceNames } from './reference-names.ts';

interface Selection {
  readonly what: string;
  readonly spec?: BackupSpec;
  readonly options?: Pick<BackupOptions, 'include' | 'resourcePolicy'>;
}

/** What is in zoo2, beside what controllers put into every namespace. */
const zoo2 = {
  blueMap: 'configmaps blue',
  greenMap: 'configmaps green',
  plainMap: 'configmaps plain',
  rootMap: 'configmaps kube-root-ca.crt',
  deployment: 'deployments.apps idle',
  replicaSet: 'replicasets.apps idle-<hash>',
  secret: 'secrets blue',
  account: 'serviceaccounts default',
  namespace: 'namespaces zoo2',
} as const;
const everything = Object.values(zoo2);
const { blueMap, greenMap, deployment, secret, namespace: ofNamespace } = zoo2;

const selections: readonly (Selection & { readonly stored: readonly string[] })[] = [
  { what: 'no filter, with an object that is labelled to stay out', stored: everything },
  {
    what: 'several label selectors',
    spec: {
      orLabelSelectors: [
        { matchLabels: { app: 'blue' } },
        { matchExpressions: [{ key: 'env', operator: 'In', values: ['dev'] }] },
      ],
    },
    stored: [blueMap, greenMap, deployment, secret, ofNamespace],
  },
  {
    what: 'one label selector of several requirements',
    spec: {
      labelSelector: {
        matchLabels: { env: 'prod' },
        matchExpressions: [
          { key: 'app', operator: 'Exists' },
          { key: 'app', operator: 'NotIn', values: ['green'] },
        ],
      },
    },
    stored: [blueMap, secret, ofNamespace],
  },
  {
    what: 'names as kubectl has them',
    spec: { includedResources: ['cm', 'Deployment', 'secret'], excludedResources: ['secrets'] },
    stored: [blueMap, greenMap, zoo2.plainMap, zoo2.rootMap, deployment, ofNamespace],
  },
  {
    what: 'patterns of one scope',
    spec: { includedNamespaceScopedResources: ['*.apps', 's*s'] },
    stored: [deployment, zoo2.replicaSet, secret, zoo2.account, ofNamespace],
  },
  {
    what: 'a predicate',
    options: {
      include: ({ group, kind, name, namespace, object }) =>
        kind === 'Namespace' ||
        (group === '' &&
          namespace !== undefined &&
          name !== 'green' &&
          object.metadata.labels !== undefined),
    },
    stored: [blueMap, secret, ofNamespace],
  },
  {
    what: 'the filters of a resource policy, where those of the spec say nothing',
    spec: { includedNamespaceScopedResources: ['secrets', 'configmaps'] },
    options: {
      resourcePolicy: {
        version: 'v1',
        includeExcludePolicy: {
          includedNamespaceScopedResources: ['deployments.apps'],
          excludedNamespaceScopedResources: ['secrets'],
        },
      },
    },
    stored: everything.filter((name) => name !== zoo2.account && name !== zoo2.replicaSet),
  },
  {
    what: 'the filters of a resource policy alone',
    options: {
      resourcePolicy: {
        version: 'v1',
        includeExcludePolicy: { excludedNamespaceScopedResources: ['secrets', 'serviceaccounts'] },
      },
    },
    stored: everything.filter((name) => name !== secret && name !== zoo2.account),
  },
];

const hidden = `apiVersion: v1
kind: ConfigMap
metadata: {name: hidden, namespace: zoo2, labels: {app: blue, velero.io/exclude-from-backup: "true"}}
`;

it('filters take the objects that they describe, as a plan has foretold', {
  timeout: 300_000,
}, async (context) => {
  const kit = testCluster(context);
  const lab = await BackupLab.open(kit, context);
  const names = new ReferenceNames(kit);
  await applyReference(kit, context, { names, files: ['zoo2.yaml'] });
  const namespace = names.ours('zoo2');
  await kit.kubectl(['apply', '--filename=-'], { input: names.ours(hidden) });
  const engine = lab.engine();
  const neutral = (objects: readonly ResourceIdentifier[]): readonly string[] =>
    objects
      .filter(({ groupResource }) => groupResource !== 'events')
      .map(({ groupResource, name }) => neutralText(names.theirs(`${groupResource} ${name}`)))
      .sort();
  // Controllers put something into each namespace, and make a ReplicaSet of the Deployment.
  const request = { name: 'rest', spec: { includedNamespaces: [namespace] } };
  await waitFor(
    async () => neutral((await engine.planBackup(request)).items).length === everything.length,
    { what: `the objects of ${namespace} to be complete` },
  );
  for (const [index, { what, spec, options, stored }] of selections.entries()) {
    const request = {
      name: `selection-${index}`,
      spec: { includedNamespaces: [namespace], ...spec },
    };
    const { items } = await engine.planBackup(request, options);
    const { issues } = await engine.backup(request, options);
    const objects = await Array.fromAsync(engine.catalog.listObjects(request.name));
    expect(issues, what).toEqual([]);
    expect(neutral(objects), what).toEqual([...stored].sort());
    expect(neutral(items), what).toEqual([...stored].sort());
  }
});
