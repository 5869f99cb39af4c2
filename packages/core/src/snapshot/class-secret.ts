import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';

/** Where a driver's credentials are. */
export interface SecretReference {
  readonly name: string;
  readonly namespace: string;
}

/** A pair of keys, for the name of a Secret and for its namespace. */
export interface SecretKeys {
  readonly name: string;
  readonly namespace: string;
}

/**
 * The Secret that the parameters of a snapshot class name; `undefined` when they do not, or with a template: a name such as
 * `${volumesnapshot.name}` belongs to the objects that it was first expanded for.
 */
export function secretOfClass(
  snapshotClass: KubernetesObject | undefined,
  keys: SecretKeys,
): SecretReference | undefined {
  const name = snapshotClass && stringAt(snapshotClass, ['parameters', keys.name]);
  const namespace = snapshotClass && stringAt(snapshotClass, ['parameters', keys.namespace]);
  return name === undefined || namespace === undefined || `${name}${namespace}`.includes('${')
    ? undefined
    : { name, namespace };
}

/** The Secret that the annotations of an object name. */
export function annotatedSecret(
  object: KubernetesObject | undefined,
  keys: SecretKeys,
): SecretReference | undefined {
  const name = object?.metadata.annotations?.[keys.name];
  const namespace = object?.metadata.annotations?.[keys.namespace];
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}

/** The annotations that name a Secret; none for none. */
export function secretAnnotations(
  secret: SecretReference | undefined,
  keys: SecretKeys,
): StringMap {
  return secret === undefined
    ? {}
    : { [keys.name]: secret.name, [keys.namespace]: secret.namespace };
}
