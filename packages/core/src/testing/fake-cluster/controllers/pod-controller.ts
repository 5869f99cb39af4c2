import type { JsonObject } from '../../../model/json.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { objectAt, objectsAt, stringAt, withValueAt } from '../../../model/object-path.ts';
import type { TableChange } from '../object-table.ts';
import { type Controller, ownKeys, type Requeue } from './controller.ts';
import type { ControllerClient } from './controller-client.ts';
import { withAnnotation } from './snapshot-objects.ts';
import { claimNamesOf, isActive, selectedNodeAnnotation, VolumeTable } from './volume-objects.ts';

/** Name of the only node. */
export const fakeNodeName = 'fake-node';

/** Schedules Pods once their claims are bound, runs them, and stops them when they are deleted. */
export class PodController implements Controller {
  readonly name = 'kubelet';
  readonly triggers: Controller['triggers'] = [
    ownKeys(VolumeTable.pods),
    { table: VolumeTable.claims, keys: podsOfClaim },
  ];
  #addresses = 10;

  async reconcile(key: string, client: ControllerClient): Promise<Requeue | undefined> {
    const pod = client.get(VolumeTable.pods, key);
    if (pod === undefined) {
      return undefined;
    }
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (objectAt(pod, ['metadata'])?.['deletionGracePeriodSeconds'] !== 0) {
        client.deleteStopped(pod);
      }
      return undefined;
    }
    if (stringAt(pod, ['status', 'phase']) !== 'Pending') {
      return undefined;
    }
    const obstacle = this.#obstacleOf(pod, client);
    if (obstacle === undefined) {
      this.#addresses += 1;
      client.write(VolumeTable.pods, pod, running(pod, this.#addresses, client.now()));
    } else {
      client.note(pod, { type: 'Warning', reason: 'FailedScheduling', message: obstacle });
      client.write(VolumeTable.pods, pod, unschedulable(pod, obstacle, client.now()));
    }
    return undefined;
  }

  /** Why a Pod cannot be scheduled yet. Tells claims that wait for their first consumer that it is there. */
  #obstacleOf(pod: KubernetesObject, client: ControllerClient): string | undefined {
    const { namespace = '' } = pod.metadata;
    let obstacle: string | undefined;
    for (const name of claimNamesOf(pod)) {
      const claim = client.get(VolumeTable.claims, `${namespace}/${name}`);
      if (claim === undefined) {
        return `0/1 nodes are available: persistentvolumeclaim "${name}" not found`;
      }
      if (stringAt(claim, ['status', 'phase']) === 'Bound') {
        continue;
      }
      obstacle = `0/1 nodes are available: pod has unbound PersistentVolumeClaims: ${name}`;
      if (isWaiting(claim, client)) {
        const selected = withAnnotation(claim, selectedNodeAnnotation, fakeNodeName);
        client.write(VolumeTable.claims, claim, selected);
      }
    }
    return obstacle;
  }
}

function isWaiting(claim: KubernetesObject, client: ControllerClient): boolean {
  const className = stringAt(claim, ['spec', 'storageClassName']) ?? '';
  const storageClass = client.get(VolumeTable.classes, className);
  return (
    storageClass !== undefined &&
    stringAt(storageClass, ['volumeBindingMode']) === 'WaitForFirstConsumer'
  );
}

function running(pod: KubernetesObject, address: number, now: string): KubernetesObject {
  const podIP = `10.244.${address >> 8}.${address & 255}`;
  const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
    lastProbeTime: null,
    lastTransitionTime: now,
    status: 'True',
    type,
  }));
  const scheduled = withValueAt(pod, ['spec', 'nodeName'], fakeNodeName);
  return withValueAt(scheduled, ['status'], {
    ...objectAt(pod, ['status']),
    conditions,
    containerStatuses: objectsAt(pod, ['spec', 'containers']).map((container) =>
      containerStatus(container, now),
    ),
    hostIP: '10.0.0.1',
    phase: 'Running',
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: now,
  });
}

function containerStatus(container: JsonObject, now: string): JsonObject {
  const image = stringAt(container, ['image']) ?? '';
  return {
    containerID: `fake://${stringAt(container, ['name']) ?? ''}`,
    image,
    imageID: image,
    name: stringAt(container, ['name']) ?? '',
    ready: true,
    restartCount: 0,
    started: true,
    state: { running: { startedAt: now } },
  };
}

function unschedulable(pod: KubernetesObject, message: string, now: string): KubernetesObject {
  const known = objectsAt(pod, ['status', 'conditions'])[0];
  return known?.['message'] === message
    ? pod
    : withValueAt(
        pod,
        ['status', 'conditions'],
        [
          {
            lastProbeTime: null,
            lastTransitionTime: now,
            message,
            reason: 'Unschedulable',
            status: 'False',
            type: 'PodScheduled',
          },
        ],
      );
}

function podsOfClaim({ object }: TableChange, client: ControllerClient): readonly string[] {
  const { namespace, name } = object.metadata;
  return client
    .list(VolumeTable.pods, namespace)
    .filter((pod) => isActive(pod) && claimNamesOf(pod).includes(name))
    .map((pod) => `${namespace ?? ''}/${pod.metadata.name}`);
}
