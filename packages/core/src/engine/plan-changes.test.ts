import { afterEach, beforeEach, expect, it } from 'vitest';
import { isLifeboatError } from '../errors.ts';
import type { JsonObject } from '../model/json.ts';
import type { RestorePlan } from '../model/restore-plan.ts';
import type { PlanRestoreOptions } from '../restore/plan-restore.ts';
import type { RestoreTransform } from '../restore/restore-transform.ts';
import { archivedObject, storeBackup } from '../restore/stored-backup-fixture.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FakeCluster } from '../testing/fake-cluster/fake-cluster.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';

const there = {
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  namespace: 'shop',
  name: 'web',
};
const web = archivedObject(
  'apps/v1',
  'Deployment',
  { name: 'web' },
  {
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image: 'docker.io/web:1' }] },
      },
    },
  },
);
const paused: RestoreTransform = (object) =>
  object.kind === 'Deployment'
    ? { ...object, spec: { ...(object['spec'] as JsonObject), paused: true } }
    : object;
const options: PlanRestoreOptions = {
  imageMapping: { 'docker.io/': 'mirror.example.com/' },
  resourceModifiers: {
    version: 'v1',
    resourceModifierRules: [
      {
        conditions: { groupResource: 'deployments.apps' },
        patches: [{ operation: 'replace', path: '/spec/replicas', value: '1' }],
      },
    ],
  },
  transforms: [paused],
};

let cluster: FakeCluster;
let store: MemoryObjectStore;
let engine: Engine;

beforeEach(async () => {
  cluster = new FakeCluster();
  store = new MemoryObjectStore();
  engine = createEngine({ cluster, store });
  const namespace = archivedObject('v1', 'Namespace', { name: 'shop', namespace: undefined });
  await storeBackup(store, {
    name: 'b',
    objects: [
      ['namespaces', namespace],
      ['deployments', web],
    ],
  });
});

afterEach(async () => {
  await cluster.close();
  await store.close();
});

async function storedPlan(): Promise<RestorePlan> {
  const plan = await engine.planRestore({ name: 'r', spec: { backupName: 'b' } }, options);
  return JSON.parse(JSON.stringify(plan)) as RestorePlan;
}

it('a plan tells what changes an object, step by step', async () => {
  const { items } = await storedPlan();
  const { transforms = [] } = items.find(({ kind }) => kind === 'Deployment') ?? {};
  expect(transforms).toMatchObject([
    {
      step: 'velero.io/change-image-name',
      patch: [{ op: 'replace', value: 'mirror.example.com/web:1' }],
    },
    { step: 'resource modifiers', patch: [{ op: 'replace', path: '/spec/replicas', value: 1 }] },
    { step: 'transforms[0] (paused)', patch: [{ op: 'add', path: '/spec/paused', value: true }] },
  ]);
});

it('a plan that was stored knows its mappings and modifiers, and takes its functions again', async () => {
  const { issues } = await engine.restore(await storedPlan(), { transforms: [paused] });
  expect(issues).toEqual([]);
  expect(await cluster.get(there)).toMatchObject({
    spec: {
      replicas: 1,
      paused: true,
      template: { spec: { containers: [{ image: 'mirror.example.com/web:1' }] } },
    },
  });
});

it('a plan is not carried out without the functions that it was made with', async () => {
  const restoring = engine.restore(await storedPlan());
  await expect(restoring).rejects.toSatisfy((error) => isLifeboatError(error, 'TargetChanged'));
  expect(await cluster.get(there)).toBeUndefined();
});
