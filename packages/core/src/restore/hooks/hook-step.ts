import type { JsonObject } from '../../model/json.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import { booleanAt, objectAt, objectsAt, stringAt } from '../../model/object-path.ts';

/** Whether commands can run in a container now, may later, or never will. */
export type HookStep =
  | { readonly kind: 'run' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'never'; readonly why: string };

/** Says whether commands can run in a container of a pod. One that the pod does not have is for the runner to refuse. */
export function hookStepOf(input: {
  readonly pod: KubernetesObject;
  readonly containerName: string;
  readonly waitForReady: boolean;
}): HookStep {
  const { pod, containerName, waitForReady } = input;
  const phase = stringAt(pod, ['status', 'phase']);
  if (phase === 'Succeeded' || phase === 'Failed') {
    return { kind: 'never', why: `the pod has ended (${phase})` };
  }
  if (!named(pod, 'spec', ['containers', 'initContainers'], containerName)) {
    return { kind: 'run' };
  }
  const status = named(
    pod,
    'status',
    ['containerStatuses', 'initContainerStatuses'],
    containerName,
  );
  if (status === undefined) {
    return { kind: 'wait' };
  }
  if (objectAt(status, ['state', 'running']) !== undefined) {
    return waitForReady && booleanAt(status, ['ready']) !== true
      ? { kind: 'wait' }
      : { kind: 'run' };
  }
  return stringAt(pod, ['spec', 'restartPolicy']) === 'Never' &&
    objectAt(status, ['state', 'terminated']) !== undefined
    ? { kind: 'never', why: `the container ${containerName} has ended and is not restarted` }
    : { kind: 'wait' };
}

function named(
  pod: KubernetesObject,
  part: 'spec' | 'status',
  fields: readonly string[],
  name: string,
): JsonObject | undefined {
  return fields
    .flatMap((field) => objectsAt(pod, [part, field]))
    .find((member) => stringAt(member, ['name']) === name);
}
