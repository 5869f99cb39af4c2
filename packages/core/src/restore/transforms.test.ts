import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type JsonObject, parseJson } from '../model/json.ts';
import { Resources } from '../model/resources.ts';
import { ObjectChangesScene, web } from './object-changes-fixture.ts';
import type { RestoreOptions } from './request.ts';
import { archivedObject } from './stored-backup-fixture.ts';

let scene: ObjectChangesScene;

beforeEach(async () => {
  scene = await ObjectChangesScene.open();
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

describe('transforms', () => {
  it('change objects one after another, names too, after mappings and modifiers', async () => {
    const seen: unknown[] = [];
    const { issues } = await scene.restore(
      {
        imageMapping: { 'docker.io/': 'mirror.example.com/' },
        transforms: [
          (object, context) => {
            const { signal, restore: by, backup: from, itemFromBackup, ...rest } = context;
            if (object.kind === 'Deployment') {
              seen.push({
                ...rest,
                by: by.metadata.name,
                from: from.metadata.name,
                aborted: signal.aborted,
              });
              expect(JSON.stringify(object)).toContain('mirror.example.com');
              expect(itemFromBackup).toEqual(web);
            }
            return object;
          },
          async (object) =>
            object.kind === 'Deployment'
              ? {
                  ...object,
                  metadata: { ...object.metadata, name: `${object.metadata.name ?? ''}-2` },
                }
              : object,
          (object) => (object.kind === 'ConfigMap' ? { skip: 'not this one' } : object),
        ],
      },
      { namespaceMapping: { shop: 'copy' } },
    );
    expect(issues).toEqual([]);
    expect(seen).toEqual([
      {
        groupResource: 'deployments.apps',
        originalNamespace: 'shop',
        originalName: 'web',
        targetNamespace: 'copy',
        by: 'r',
        from: 'b',
        aborted: false,
      },
    ]);
    expect(await scene.deployment('web-2', 'copy')).toBeDefined();
    expect(await scene.deployment('web', 'copy')).toBeUndefined();
    const settingsThere = { ...Resources.configMaps, namespace: 'copy', name: 'settings' };
    expect(await scene.cluster.get(settingsThere)).toBeUndefined();
  });

  it('get a copy, with every digit', async () => {
    const big = parseJson('9007199254740993');
    const precise = archivedObject(
      'apps/v1',
      'Deployment',
      { name: 'web' },
      { spec: { ...(web['spec'] as JsonObject), big } },
    );
    await scene.storeBackup([['deployments', precise]]);
    const written: string[] = [];
    await scene.restore({
      transforms: [
        (object) => {
          const spec = object['spec'] as { replicas: number };
          spec.replicas = 9;
          return object;
        },
        (object, { itemFromBackup }) => {
          written.push(JSON.stringify(object['spec']), JSON.stringify(itemFromBackup['spec']));
          return { skip: 'enough is seen' };
        },
      ],
    });
    expect(written[0]).toContain('"replicas":9');
    expect(written[0]).toContain('"big":9007199254740993');
    expect(written[1]).toContain('"replicas":3');
  });

  it.each<[string, NonNullable<RestoreOptions['transforms']>[number], string]>([
    [
      'throws',
      () => {
        throw new Error('no such luck');
      },
      'no such luck',
    ],
    ['changes the kind', (object) => ({ ...object, kind: 'Secret' }), 'changed kind'],
    [
      'changes the namespace',
      (object) => ({ ...object, metadata: { ...object.metadata, namespace: 'x' } }),
      'changed the namespace',
    ],
    ['takes the name away', (object) => ({ ...object, metadata: {} }), 'without a name'],
    ['returns nothing', () => undefined as never, 'left no object'],
  ])('that one %s fails its object alone', async (_what, transform, message) => {
    const { issues } = await scene.restore({
      transforms: [
        function broken(object, context) {
          return object.kind === 'ConfigMap' ? transform(object, context) : object;
        },
      ],
    });
    expect(issues).toEqual([
      expect.objectContaining({
        severity: 'error',
        reason: 'TransformFailed',
        message: expect.stringContaining(message) as string,
        object: { groupResource: 'configmaps', namespace: 'shop', name: 'settings' },
      }),
    ]);
    expect(issues[0]?.message).toContain('transforms[0] (broken) failed');
    expect(await scene.deployment()).toBeDefined();
  });

  it('must be functions', async () => {
    expect(await scene.faultsOf(scene.restore({ transforms: ['x' as never] }))).toEqual([
      'options.transforms[0] must be a function',
    ]);
  });
});
