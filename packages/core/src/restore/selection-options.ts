import type { KubernetesObject, ResourceIdentifier } from '../model/kubernetes.ts';

/** An object that a restore would take, for a predicate that has the last word. */
export interface RestoreCandidate extends ResourceIdentifier {
  /** As the backup holds it. Not to be changed. */
  readonly object: KubernetesObject;
}

/** Which objects of a backup are restored, beside what the spec says. What a restored object cannot do without comes along. */
export interface SelectionOptions {
  /**
   * Restore these objects alone, by their names in the backup, as far as the spec lets them in. They may be cluster-scoped unless
   * `spec.includeClusterResources` is `false`. One that the backup does not hold is a warning. @default all
   */
  readonly only?: readonly ResourceIdentifier[] | undefined;
  /**
   * Has the last word about each object that the spec and `only` let in; not about what those need. An object for which it throws is
   * left out, with an error of that object. @default every object
   */
  readonly include?: ((candidate: RestoreCandidate) => boolean) | undefined;
}
