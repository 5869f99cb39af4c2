import type { JsonObject } from '../../../model/json.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { booleanAt, objectsAt, stringAt, withValueAt } from '../../../model/object-path.ts';
import { setMissing } from './set-missing.ts';

const tokenMountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const defaultMode = 420;
const tokenLifetimeSeconds = 3607;

/** Sets what the API server and the ServiceAccount admission set in a new Pod, the token volume among it. */
export function podDefaults(
  object: KubernetesObject,
  { suffix }: { readonly suffix: () => string },
): KubernetesObject {
  const account = stringAt(object, ['spec', 'serviceAccountName']) ?? 'default';
  const defaulted = setMissing(object, [
    [['spec', 'restartPolicy'], 'Always'],
    [['spec', 'dnsPolicy'], 'ClusterFirst'],
    [['spec', 'schedulerName'], 'default-scheduler'],
    [['spec', 'securityContext'], {}],
    [['spec', 'terminationGracePeriodSeconds'], 30],
    [['spec', 'enableServiceLinks'], true],
    [['spec', 'preemptionPolicy'], 'PreemptLowerPriority'],
    [['spec', 'priority'], 0],
    [['spec', 'serviceAccountName'], account],
    [['spec', 'serviceAccount'], account],
    [['status'], { phase: 'Pending', qosClass: 'BestEffort' }],
  ]);
  return booleanAt(object, ['spec', 'automountServiceAccountToken']) === false
    ? withContainers(defaulted, (container) => container)
    : withToken(defaulted, suffix);
}

function withToken(pod: KubernetesObject, suffix: () => string): KubernetesObject {
  const isMounted = objectsAt(pod, ['spec', 'containers']).some((container) =>
    objectsAt(container, ['volumeMounts']).some((mount) => mount['mountPath'] === tokenMountPath),
  );
  if (isMounted) {
    return withContainers(pod, (container) => container);
  }
  const name = `kube-api-access-${suffix()}`;
  const withVolume = withValueAt(
    pod,
    ['spec', 'volumes'],
    [...objectsAt(pod, ['spec', 'volumes']), tokenVolume(name)],
  );
  return withContainers(withVolume, (container) =>
    withValueAt(
      container,
      ['volumeMounts'],
      [
        ...objectsAt(container, ['volumeMounts']),
        { mountPath: tokenMountPath, name, readOnly: true },
      ],
    ),
  );
}

function withContainers(
  pod: KubernetesObject,
  change: (container: JsonObject) => JsonObject,
): KubernetesObject {
  const containers = objectsAt(pod, ['spec', 'containers']).map((container) =>
    setMissing(change(container), [
      [['imagePullPolicy'], pullPolicyOf(stringAt(container, ['image']) ?? '')],
      [['resources'], {}],
      [['terminationMessagePath'], '/dev/termination-log'],
      [['terminationMessagePolicy'], 'File'],
    ]),
  );
  return withValueAt(pod, ['spec', 'containers'], containers);
}

function tokenVolume(name: string): JsonObject {
  const fieldRef = { apiVersion: 'v1', fieldPath: 'metadata.namespace' };
  return {
    name,
    projected: {
      defaultMode,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenLifetimeSeconds, path: 'token' } },
        { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
        { downwardAPI: { items: [{ fieldRef, path: 'namespace' }] } },
      ],
    },
  };
}

function pullPolicyOf(image: string): string {
  return /:latest$/.test(image) || !image.slice(image.lastIndexOf('/') + 1).includes(':')
    ? 'Always'
    : 'IfNotPresent';
}
