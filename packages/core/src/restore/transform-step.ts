import { messageOf } from '../errors.ts';
import { isJsonObject, parseJson } from '../model/json.ts';
import type { KubernetesManifest } from '../model/kubernetes.ts';
import type { PreparationContext, PreparationOutput, PreparationStep } from './prepare-item.ts';
import { restorableObject } from './restorable-object.ts';
import type { RestoreTransform, TransformContext } from './restore-transform.ts';

/** The step that runs a transform, the one at `index` of the options. */
export function createTransformStep(transform: RestoreTransform, index: number): PreparationStep {
  const name = `transforms[${index}]${transform.name === '' ? '' : ` (${transform.name})`}`;
  return {
    name,
    run: async (item, context) => {
      const blocked = (problem: string): PreparationOutput => ({
        blocked: {
          reason: 'TransformFailed',
          message: `${name} failed, so the object is not restored: ${problem}`,
        },
      });
      try {
        const result: unknown = await transform(copyOf(item), contextOf(context));
        if (isSkip(result)) {
          return { skip: `${name}: ${result.skip}` };
        }
        const { object, problem } = restorableObject(result, item);
        if (object === undefined) {
          return blocked(problem);
        }
        return object.metadata.namespace === item.metadata.namespace
          ? { item: object }
          : blocked('it changed the namespace, which only spec.namespaceMapping can');
      } catch (error) {
        context.signal.throwIfAborted();
        return blocked(messageOf(error));
      }
    },
  };
}

// Parts of the object are shared with the one in the backup, which must stay as it is though the copy is written to.
function copyOf(item: KubernetesManifest): KubernetesManifest {
  return restorableObject(parseJson(JSON.stringify(item)), item).object ?? item;
}

function contextOf(context: PreparationContext): TransformContext {
  const { groupResource, itemFromBackup, target, backup, restore, signal } = context;
  const { name, namespace } = itemFromBackup.metadata;
  return {
    groupResource,
    originalNamespace: namespace,
    originalName: name,
    targetNamespace: target.namespace,
    itemFromBackup,
    backup,
    restore,
    signal,
  };
}

function isSkip(result: unknown): result is { readonly skip: string } {
  return (
    isJsonObject(result) && !Object.hasOwn(result, 'kind') && typeof result['skip'] === 'string'
  );
}
