import { afterEach, beforeEach, expect, it } from 'vitest';
import type { KubernetesObject, ResourceIdentifier } from '../model/kubernetes.ts';
import type { RestorePlan } from '../model/restore-plan.ts';
import type { RestoreItemAction } from '../ports/item-action.ts';
import type { RestoreOptions, RestoreRequest, RestoreResult } from './request.ts';
import { RestoreScene } from './restore-scene-fixture.ts';
import { archivedObject } from './stored-backup-fixture.ts';

const labels = { app: 'web' };
const configMap = (name: string, metadata = {}): readonly [string, KubernetesObject] => [
  'configmaps',
  archivedObject('v1', 'ConfigMap', { name, ...metadata }),
];

let scene: RestoreScene;

beforeEach(async () => {
  scene = RestoreScene.open();
  await scene.storeBackup('shop', [
    configMap('web', { labels }),
    configMap('other', { labels }),
    configMap('needed'),
    configMap('deeper'),
    configMap('needed', { namespace: 'elsewhere' }),
    ['secrets', archivedObject('v1', 'Secret', { name: 'password' })],
    [
      'priorityclasses',
      archivedObject(
        'scheduling.k8s.io/v1',
        'PriorityClass',
        { name: 'high', namespace: undefined },
        { value: 1 },
      ),
    ],
  ]);
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

const spec = {
  backupName: 'shop',
  includedNamespaces: ['shop'],
  labelSelector: { matchLabels: labels },
};

function restore(
  actions: readonly RestoreItemAction[],
  request: RestoreRequest | RestorePlan = { spec },
  options: RestoreOptions = {},
): Promise<RestoreResult> {
  return scene.restore(request, { ...options, actions });
}

/** An action by which objects ask for others: name of the object → what it asks for. */
function asking(wants: Readonly<Record<string, readonly ResourceIdentifier[]>>): RestoreItemAction {
  return {
    name: 'example.com/ask',
    appliesTo: { resources: ['configmaps'] },
    execute: async ({ itemFromBackup }) => ({
      additionalItems: wants[itemFromBackup.metadata.name],
    }),
  };
}

function wanted(name: string, namespace = 'shop'): ResourceIdentifier {
  return { groupResource: 'configmaps', namespace, name };
}

function outcomes({ items }: Pick<RestoreResult, 'items'>): readonly string[] {
  return items
    .filter(({ object }) => object.groupResource !== 'namespaces')
    .map(({ object: { groupResource, name }, action }) => `${groupResource} ${name} ${action}`);
}

it('what an action asks for is restored before the object, whatever its labels, with what it asks for itself', async () => {
  const ask = asking({ web: [wanted('needed')], needed: [wanted('deeper')] });
  const result = await restore([ask], { spec }, { include: ({ name }) => name === 'web' });
  expect(outcomes(result)).toEqual([
    'configmaps deeper created',
    'configmaps needed created',
    'configmaps web created',
  ]);
  expect(result.issues).toEqual([]);
  expect(result.restore.status.progress).toMatchObject({ totalItems: 3, itemsRestored: 3 });
});

it('what is in no namespace is restored when asked for, unless the spec forbids it', async () => {
  const ask = asking({
    web: [{ groupResource: 'pc', name: 'high' }],
    other: [{ groupResource: 'priorityclasses.scheduling.k8s.io', name: 'high' }],
  });
  const forbidding = { spec: { ...spec, includeClusterResources: false } };
  expect(outcomes(await restore([ask], forbidding)).toSorted()).toEqual([
    'configmaps other created',
    'configmaps web created',
  ]);
  expect(outcomes(await restore([ask])).toSorted()).toContain(
    'priorityclasses.scheduling.k8s.io high created',
  );
});

it('resources and namespaces that the spec leaves out stay out', async () => {
  const key = { groupResource: 'secrets', namespace: 'shop', name: 'password' };
  const result = await restore([asking({ web: [wanted('needed', 'elsewhere'), key] })], {
    spec: { ...spec, excludedResources: ['secrets'] },
  });
  expect(outcomes(result).toSorted()).toEqual([
    'configmaps other created',
    'configmaps web created',
  ]);
  expect(result.issues).toEqual([]);
});

it('what the backup does not hold is a warning that names both, and the object is restored', async () => {
  const result = await restore([asking({ web: [wanted('missing')] })]);
  expect(outcomes(result)).toContain('configmaps web created');
  expect(result.issues).toEqual([
    {
      severity: 'warning',
      reason: 'AdditionalItemMissing',
      message: expect.stringContaining('configmaps shop/missing') as string,
      object: wanted('web'),
    },
  ]);
});

it('objects that ask for each other, and for themselves, are each restored once', async () => {
  const circle = [wanted('web'), wanted('other'), wanted('needed')];
  const ask = asking({ web: circle, other: circle, needed: circle });
  const result = await restore([ask]);
  expect(outcomes(result).toSorted()).toEqual([
    'configmaps needed created',
    'configmaps other created',
    'configmaps web created',
  ]);
});

it('a plan says who asks for an object, and is carried out as it says', async () => {
  const ask = asking({ web: [wanted('needed')] });
  const plan = await scene.plan({ spec }, { actions: [ask] });
  const reasons = plan.items.map(({ source, askedForBy }) => [source.name, askedForBy] as const);
  expect(new Map(reasons)).toEqual(
    new Map<string, unknown>([
      ['shop', undefined],
      ['web', undefined],
      ['other', undefined],
      ['needed', { action: 'example.com/ask', object: wanted('web') }],
    ]),
  );
  expect(outcomes(await restore([ask], plan))).toContain('configmaps needed created');
});

it('a plan has what is asked for, of a kind that is not restored otherwise, beside who asks for it', async () => {
  const password = { groupResource: 'secrets', namespace: 'shop', name: 'password' };
  const { items } = await scene.plan({ spec }, { actions: [asking({ web: [password] })] });
  expect(items.map(({ target: { groupResource, name } }) => `${groupResource} ${name}`)).toEqual([
    'namespaces shop',
    ...['configmaps other', 'secrets password', 'configmaps web'],
  ]);
});

it('an object that fails is an error of its own, and the one that asked for it is restored', async () => {
  const failing: RestoreItemAction = {
    name: 'example.com/fail',
    appliesTo: { resources: ['configmaps'] },
    execute: async ({ item, itemFromBackup }) => {
      if (itemFromBackup.metadata.name === 'needed') {
        throw new Error('no');
      }
      return { item };
    },
  };
  const result = await restore([asking({ web: [wanted('needed')] }), failing]);
  expect(outcomes(result)).toEqual(
    expect.arrayContaining(['configmaps needed failed', 'configmaps web created']),
  );
  expect(result.issues).toMatchObject([{ severity: 'error', object: wanted('needed') }]);
});
