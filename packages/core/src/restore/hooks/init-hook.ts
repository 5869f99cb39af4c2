import { createHash } from 'node:crypto';
import { parseHookCommand } from '../../hooks/hook-command.ts';
import { createHookFilter } from '../../hooks/hook-filter.ts';
import { parseDuration } from '../../model/duration.ts';
import type { JsonObject } from '../../model/json.ts';
import type { KubernetesManifest, StringMap } from '../../model/kubernetes.ts';
import { objectsAt, stringAt, withValueAt } from '../../model/object-path.ts';
import type { RestoreSpec } from '../../model/restore.ts';
import { AnnotationReader } from './annotation-reader.ts';

/** The init containers that hooks add to a pod. */
export interface InitHooks {
  readonly containers: readonly JsonObject[];
  /** What annotations ask for that has no effect. */
  readonly problems: readonly string[];
  /** Names of the entries of the spec that set a limit for the time of their containers; it has no effect. */
  readonly limited: readonly string[];
}

/** A pod that is to be restored, in its target namespace. */
export interface InitHookPod {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: StringMap;
    readonly annotations?: StringMap;
  };
}

const digestLength = 8;
// Velero's own, which fills volumes that the hooks may read.
const fillers: readonly string[] = ['restore-wait', 'restic-wait'];

/**
 * Creates the finder of a valid spec: which init containers to add to a pod. The container that the pod's annotations
 * (`init.hook.restore.velero.io/…`) ask for replaces those of the spec; without one, those of every entry that lets the pod in.
 */
export function createInitHookFinder(spec: RestoreSpec): (pod: InitHookPod) => InitHooks {
  const entries = (spec.hooks?.resources ?? []).map((entry) => {
    const hooks = (entry.postHooks ?? []).flatMap(({ init }) => init ?? []);
    return {
      lets: createHookFilter(entry),
      containers: hooks.flatMap(({ initContainers }) => initContainers),
      // `0s` is what a Go program writes where nothing was set.
      limited: hooks.some(({ timeout }) => (parseDuration(timeout ?? '') ?? 0) > 0)
        ? [entry.name]
        : [],
    };
  });
  return (pod) => {
    const annotated = initHookFromAnnotations(pod);
    if (annotated !== undefined) {
      return annotated;
    }
    const own = entries.filter(({ lets }) => lets(pod));
    return {
      containers: own.flatMap(({ containers }) => containers),
      problems: [],
      limited: own.flatMap(({ limited }) => limited),
    };
  };
}

function initHookFromAnnotations({ metadata }: InitHookPod): InitHooks | undefined {
  const reader = new AnnotationReader(metadata.annotations ?? {}, 'init.hook.restore.velero.io/');
  const image = reader.text('container-image');
  if (image === '') {
    return undefined;
  }
  const command = reader.text('command');
  if (reader.text('timeout') !== '') {
    reader.complain('timeout', 'Kubernetes has no limit for an init container');
  }
  const container = {
    name: reader.text('container-name') || defaultName(metadata),
    image,
    ...(command === '' ? {} : { command: parseHookCommand(command) }),
  };
  return { containers: [container], problems: reader.problems, limited: [] };
}

// Velero takes a random one; this one is the same in a plan and in the restore that follows it.
function defaultName({ namespace = '', name }: InitHookPod['metadata']): string {
  const digest = createHash('sha256').update(`${namespace}/${name}`).digest('hex');
  return `velero-restore-init-${digest.slice(0, digestLength)}`;
}

/** A pod with init containers before its own, but after one of Velero that fills its volumes. */
export function withInitContainers(
  pod: KubernetesManifest,
  containers: readonly JsonObject[],
): KubernetesManifest {
  if (containers.length === 0) {
    return pod;
  }
  const own = objectsAt(pod, ['spec', 'initContainers']);
  const [first] = own;
  const start = first !== undefined && fillers.includes(stringAt(first, ['name']) ?? '') ? 1 : 0;
  return withValueAt(pod, ['spec', 'initContainers'], own.toSpliced(start, 0, ...containers));
}
