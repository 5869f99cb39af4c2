import { afterEach, beforeEach, expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject, ResourceIdentifier } from '../model/kubernetes.ts';
import { Resources } from '../model/resources.ts';
import type { RestorePlan } from '../model/restore-plan.ts';
import type {
  AdditionalItemsReadyInput,
  RestoreItemAction,
  RestoreItemOutput,
} from '../ports/item-action.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { RestoreRequest, RestoreResult } from './request.ts';
import { RestoreScene, type SceneEngine, untilDone } from './restore-scene-fixture.ts';
import { archivedObject } from './stored-backup-fixture.ts';

const configMaps = ['a', 'b', 'c', 'needed', 'refused', 'z'];
const labels = { app: 'web' };
const definitionName = 'widgets.example.com';

let scene: RestoreScene<ManualClock>;

beforeEach(async () => {
  scene = RestoreScene.open(new ManualClock());
  const widget = (name: string): KubernetesObject =>
    archivedObject('example.com/v1', 'Widget', { name, labels });
  await scene.storeBackup('shop', [
    ...configMaps.map(
      (name) => ['configmaps', archivedObject('v1', 'ConfigMap', { name })] as const,
    ),
    ['widgets', widget('first')],
    ['widgets', widget('second')],
    [
      'customresourcedefinitions',
      archivedObject(
        'apiextensions.k8s.io/v1',
        'CustomResourceDefinition',
        { name: definitionName, namespace: undefined },
        { spec: definition },
      ),
    ],
  ]);
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

const definition: JsonObject = {
  group: 'example.com',
  names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
  scope: 'Namespaced',
  versions: [
    {
      name: 'v1',
      served: true,
      storage: true,
      schema: {
        openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
  ],
};

type Outputs = Readonly<Record<string, RestoreItemOutput>>;

/** An engine with an action that has an output for each object, by its name in the backup. */
function answering(outputs: Outputs, concurrency?: number): SceneEngine {
  const action: RestoreItemAction = {
    name: 'example.com/answer',
    appliesTo: {},
    execute: async ({ itemFromBackup: { metadata } }) => outputs[metadata.name] ?? {},
  };
  return { actions: [action], concurrency };
}

function restore(
  outputs: Outputs,
  request: RestoreRequest | RestorePlan = { spec: only('configmaps') },
  concurrency?: number,
): Promise<RestoreResult> {
  return scene.restore(request, answering(outputs, concurrency));
}

function only(resource: string): RestoreRequest['spec'] {
  return { backupName: 'shop', includedResources: [resource] };
}

async function untilCreated(name: string): Promise<void> {
  for await (const event of scene.cluster.watch(Resources.configMaps, { namespace: 'shop' })) {
    if (event.type === 'added' && event.object.metadata.name === name) {
      return;
    }
  }
}

function outcomes({ items }: RestoreResult): readonly string[] {
  return items
    .filter(({ object }) => object.groupResource !== 'namespaces')
    .map(({ object: { name }, action }) => `${name} ${action}`);
}

function wanted(name: string): ResourceIdentifier {
  return { groupResource: 'configmaps', namespace: 'shop', name };
}

it('an object waits until what it asked for is ready: asked about what exists, by its names in the target, once a second', async () => {
  const asked: (readonly ResourceIdentifier[])[] = [];
  const askedAtMs: number[] = [];
  const areAdditionalItemsReady = async (input: AdditionalItemsReadyInput): Promise<boolean> => {
    asked.push(input.additionalItems);
    askedAtMs.push(scene.clock.now().getTime());
    const created = scene.cluster.requests.filter(({ operation }) => operation === 'create');
    expect(created.map(({ name }) => name)).not.toContain('a');
    return asked.length === 3;
  };
  const additionalItems = [wanted('needed'), wanted('refused'), wanted('not in the backup')];
  const refused: RestoreItemOutput = { skip: 'nobody wants it' };
  const request = { spec: { ...only('configmaps'), namespaceMapping: { shop: 'copy' } } };
  const result = await untilDone(
    scene.clock,
    // So many places that nobody has to wait for one while the clock is turned.
    restore({ a: { additionalItems, areAdditionalItemsReady }, refused }, request, 32),
  );
  expect(outcomes(result)).toContain('a created');
  expect(result.issues.map(({ reason }) => reason)).toEqual(['AdditionalItemMissing']);
  const needed = { groupResource: 'configmaps', namespace: 'copy', name: 'needed' };
  expect(asked).toEqual([[needed], [needed], [needed]]);
  const [first = 0, second = 0, third = 0] = askedAtMs;
  expect([second - first, third - second]).toEqual([1_000, 1_000]);
});

const failures: readonly [what: string, areReady: () => Promise<boolean>, words: RegExp][] = [
  ['not ready in time', async () => false, /not ready after 2000 ms/],
  [
    'never answered about',
    () => Promise.withResolvers<boolean>().promise,
    /not ready after 2000 ms/,
  ],
  ['asked about in vain', () => Promise.reject(new Error('who knows')), /who knows/],
];
it.each(failures)(
  'what is %s is an error, and the object is restored',
  async (_what, areReady, words) => {
    const result = await untilDone(
      scene.clock,
      restore({
        a: {
          additionalItems: [wanted('needed')],
          areAdditionalItemsReady: areReady,
          additionalItemsReadyTimeoutMs: 2_000,
        },
      }),
    );
    expect(outcomes(result)).toContain('a created');
    expect(result.issues).toEqual([
      {
        severity: 'error',
        reason: 'AdditionalItemsNotReady',
        message: expect.stringMatching(words) as string,
        object: wanted('a'),
      },
    ]);
  },
);

it('objects that wait, more of them than places, hold back no other', async () => {
  const waiting: RestoreItemOutput = { areAdditionalItemsReady: async () => false };
  const restored = restore({ a: waiting, b: waiting, c: waiting }, undefined, 2);
  await untilCreated('z');
  expect(outcomes(await untilDone(scene.clock, restored)).toSorted()).toEqual(
    configMaps.map((name) => `${name} created`),
  );
});

it('an object that waits for one that waits itself takes no place either', async () => {
  let isReady = false;
  const outputs: Outputs = {
    a: { areAdditionalItemsReady: async () => isReady },
    b: { additionalItems: [wanted('a')] },
    z: {
      areAdditionalItemsReady: async () => {
        isReady = true;
        return true;
      },
    },
  };
  expect(outcomes(await untilDone(scene.clock, restore(outputs, undefined, 1)))).toContain(
    'b created',
  );
});

it('a plan asks nobody whether something is ready', async () => {
  const areAdditionalItemsReady = async (): Promise<boolean> => {
    throw new Error('asked');
  };
  const outputs = { a: { additionalItems: [wanted('needed')], areAdditionalItemsReady } };
  const plan = await scene.plan({ spec: only('configmaps') }, answering(outputs));
  expect(plan.issues).toEqual([]);
});

it('custom resources whose kind the target does not know can have its definition restored first, in a plan too', async () => {
  const additionalItems = [{ groupResource: 'crd', name: definitionName }];
  const outputs = { first: { additionalItems }, second: { additionalItems } };
  const includedResources = ['widgets.example.com', 'crd'];
  const plan = await scene.plan(
    {
      spec: { backupName: 'shop', includedResources, labelSelector: { matchLabels: labels } },
    },
    answering(outputs),
  );
  expect(plan.issues).toEqual([]);
  expect(plan.items.map(({ source, action }) => `${source.name} ${action}`)).toEqual([
    'shop create',
    `${definitionName} create`,
    'first create',
    'second create',
  ]);

  const result = await restore(outputs, plan);
  expect(result.issues).toEqual([]);
  expect(outcomes(result)).toEqual(
    expect.arrayContaining([`${definitionName} created`, 'first created', 'second created']),
  );
  const watches = scene.cluster.requests.filter(
    ({ operation, resource }) =>
      operation === 'watch' && resource === 'customresourcedefinitions.apiextensions.k8s.io',
  );
  expect(watches).toHaveLength(1);
});

it('without their definition they are not restored, and the target is told to lack it', async () => {
  const result = await restore({}, { spec: only('widgets.example.com') });
  expect(outcomes(result)).toEqual(['first failed', 'second failed']);
  expect(result.issues.map(({ reason }) => reason)).toEqual([
    'ResourceNotServed',
    'ResourceNotServed',
  ]);
});
