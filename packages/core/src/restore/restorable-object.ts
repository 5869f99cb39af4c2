import { isJsonObject } from '../model/json.ts';
import type { KubernetesManifest } from '../model/kubernetes.ts';

/** What a step made of an object, or why that cannot be restored in its place. */
export type RestorableObject =
  | { readonly object: KubernetesManifest; readonly problem?: undefined }
  | { readonly object?: undefined; readonly problem: string };

/**
 * Holds what a step made of an object against what it was: apiVersion and kind say where an object is created, so they must stay,
 * and without a name it cannot be found again. The name itself may change.
 */
export function restorableObject(value: unknown, before: KubernetesManifest): RestorableObject {
  if (!isJsonObject(value)) {
    return { problem: 'it left no object' };
  }
  for (const field of ['apiVersion', 'kind'] as const) {
    if (value[field] !== before[field]) {
      return {
        problem: `it changed ${field} from ${JSON.stringify(before[field])} to ${JSON.stringify(value[field])}`,
      };
    }
  }
  const { metadata } = value;
  if (!isJsonObject(metadata)) {
    return { problem: 'it left an object without metadata' };
  }
  const { name } = metadata;
  return typeof name === 'string' && name !== ''
    ? {
        object: {
          ...value,
          apiVersion: before.apiVersion,
          kind: before.kind,
          metadata: { ...metadata, name },
        },
      }
    : { problem: 'it left an object without a name' };
}
