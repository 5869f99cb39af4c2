import { messageOf } from '../../../errors.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { stringAt, withValueAt } from '../../../model/object-path.ts';
import { compareQuantities, parseQuantity } from '../../../model/quantity.ts';
import type { Clock } from '../../../ports/clock.ts';
import { withoutFinalizer } from '../admission/set-missing.ts';
import { CsiCallFailure } from '../csi/csi-faults.ts';
import type { CsiService } from '../csi/csi-service.ts';
import type { TableChange } from '../object-table.ts';
import { type Controller, ownKeys, type Requeue } from './controller.ts';
import type { ControllerClient } from './controller-client.ts';
import { RetryPause } from './retry-pause.ts';
import { SnapshotTable, withAnnotation } from './snapshot-objects.ts';
import {
  boundClaim,
  boundVolume,
  claimNamesOf,
  isActive,
  isReservedFor,
  provisionedVolume,
  requestOf,
  satisfies,
  selectedNodeAnnotation,
  VolumeFinalizer,
  VolumeTable,
} from './volume-objects.ts';
import { volumeSourceOf } from './volume-source.ts';

/** Binds claims to volumes, has the driver make those that are missing, and lets go of claims that nothing uses. */
export class ClaimController implements Controller {
  readonly name = 'persistentvolume-controller';
  readonly triggers: Controller['triggers'] = [
    ownKeys(VolumeTable.claims),
    { table: VolumeTable.volumes, keys: claimsForVolume },
    { table: VolumeTable.pods, keys: claimsOfPod },
    { table: VolumeTable.classes, keys: (_change, client) => pendingClaims(client) },
    {
      table: SnapshotTable.snapshots,
      keys: ({ object }, client) => pendingClaims(client, object.metadata.namespace),
    },
  ];
  readonly #csi: CsiService;
  readonly #pause: RetryPause;

  constructor(csi: CsiService, clock: Clock) {
    this.#csi = csi;
    this.#pause = new RetryPause(clock);
  }

  async reconcile(key: string, client: ControllerClient): Promise<Requeue | undefined> {
    const claim = client.get(VolumeTable.claims, key);
    if (claim === undefined) {
      return undefined;
    }
    if (claim.metadata.deletionTimestamp !== undefined) {
      if (!isInUse(claim, client)) {
        const released = withoutFinalizer(claim, VolumeFinalizer.claim);
        client.write(VolumeTable.claims, claim, released);
      }
      return undefined;
    }
    if (stringAt(claim, ['status', 'phase']) === 'Bound') {
      watchForLoss(claim, client);
      return undefined;
    }
    const volume = findVolume(claim, client);
    if (volume !== undefined) {
      bind(claim, volume, client);
      return undefined;
    }
    if ((stringAt(claim, ['spec', 'volumeName']) ?? '') !== '') {
      return undefined;
    }
    return this.#provision(key, claim, client);
  }

  async #provision(
    key: string,
    claim: KubernetesObject,
    client: ControllerClient,
  ): Promise<Requeue | undefined> {
    const className = stringAt(claim, ['spec', 'storageClassName']) ?? '';
    const storageClass = client.get(VolumeTable.classes, className);
    if (storageClass === undefined) {
      noteMissingClass(claim, className, client);
      return undefined;
    }
    if (isWaiting(claim, storageClass)) {
      client.note(claim, {
        type: 'Normal',
        reason: 'WaitForFirstConsumer',
        message: 'waiting for first consumer to be created before binding',
      });
      return undefined;
    }
    const provisioner = stringAt(storageClass, ['provisioner']) ?? '';
    const announced = client.write(VolumeTable.claims, claim, withProvisioner(claim, provisioner));
    if (provisioner !== this.#csi.driverName) {
      client.note(announced, {
        type: 'Normal',
        reason: 'ExternalProvisioning',
        message: `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator.`,
      });
      return undefined;
    }
    return this.#fill(key, announced, storageClass, client);
  }

  async #fill(
    key: string,
    claim: KubernetesObject,
    storageClass: KubernetesObject,
    client: ControllerClient,
  ): Promise<Requeue | undefined> {
    const source = volumeSourceOf(claim, client);
    if ('failure' in source) {
      // No retry: a change of the source is a trigger.
      noteFailure(claim, storageClass, source.failure, client);
      return undefined;
    }
    const pause = this.#pause.current(key);
    if (pause !== undefined) {
      return pause;
    }
    const { namespace, name, uid = '' } = claim.metadata;
    const sizeBytes = parseQuantity(requestOf(claim)) ?? 0n;
    const request = { name: `pvc-${uid}`, sizeBytes, namespace, claimName: name, ...source };
    try {
      const volume = await this.#csi.createVolume(request, client.signal);
      this.#pause.reset(key);
      if (client.get(VolumeTable.volumes, volume.name) === undefined) {
        const manifest = provisionedVolume(claim, storageClass, this.#csi.driverName, volume);
        client.create(VolumeTable.volumes, manifest);
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof CsiCallFailure)) {
        throw error;
      }
      noteFailure(claim, storageClass, messageOf(error), client);
      return this.#pause.next(key);
    }
  }
}

function bind(claim: KubernetesObject, volume: KubernetesObject, client: ControllerClient): void {
  const bound = client.write(VolumeTable.volumes, volume, boundVolume(volume, claim));
  client.write(VolumeTable.claims, claim, boundClaim(claim, bound));
}

function findVolume(
  claim: KubernetesObject,
  client: ControllerClient,
): KubernetesObject | undefined {
  const wanted = stringAt(claim, ['spec', 'volumeName']) ?? '';
  if (wanted !== '') {
    const named = client.get(VolumeTable.volumes, wanted);
    return named !== undefined && isOpenTo(named, claim) ? named : undefined;
  }
  const volumes = client.list(VolumeTable.volumes);
  return (
    volumes.find((volume) => isReservedFor(volume, claim)) ??
    volumes
      .filter((volume) => satisfies(volume, claim))
      .toSorted((left, right) => compareQuantities(capacityOf(left), capacityOf(right)) ?? 0)[0]
  );
}

function isOpenTo(volume: KubernetesObject, claim: KubernetesObject): boolean {
  const reference = stringAt(volume, ['spec', 'claimRef', 'name']);
  return reference === undefined || isReservedFor(volume, claim);
}

function watchForLoss(claim: KubernetesObject, client: ControllerClient): void {
  const volumeName = stringAt(claim, ['spec', 'volumeName']) ?? '';
  if (client.get(VolumeTable.volumes, volumeName) === undefined) {
    client.write(VolumeTable.claims, claim, withValueAt(claim, ['status'], { phase: 'Lost' }));
    client.note(claim, {
      type: 'Warning',
      reason: 'ClaimLost',
      message: 'Bound claim has lost its PersistentVolume. Data on the volume is lost!',
    });
  }
}

function isWaiting(claim: KubernetesObject, storageClass: KubernetesObject): boolean {
  return (
    stringAt(storageClass, ['volumeBindingMode']) === 'WaitForFirstConsumer' &&
    stringAt(claim, ['metadata', 'annotations', selectedNodeAnnotation]) === undefined
  );
}

function withProvisioner(claim: KubernetesObject, provisioner: string): KubernetesObject {
  return withAnnotation(
    withAnnotation(claim, 'volume.beta.kubernetes.io/storage-provisioner', provisioner),
    'volume.kubernetes.io/storage-provisioner',
    provisioner,
  );
}

function noteFailure(
  claim: KubernetesObject,
  storageClass: KubernetesObject,
  failure: string,
  client: ControllerClient,
): void {
  client.note(claim, {
    type: 'Warning',
    reason: 'ProvisioningFailed',
    message: `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${failure}`,
  });
}

function noteMissingClass(
  claim: KubernetesObject,
  className: string,
  client: ControllerClient,
): void {
  client.note(
    claim,
    className === ''
      ? {
          type: 'Normal',
          reason: 'FailedBinding',
          message: 'no persistent volumes available for this claim and no storage class is set',
        }
      : {
          type: 'Warning',
          reason: 'ProvisioningFailed',
          message: `storageclass.storage.k8s.io "${className}" not found`,
        },
  );
}

function isInUse({ metadata }: KubernetesObject, client: ControllerClient): boolean {
  return client
    .list(VolumeTable.pods, metadata.namespace)
    .some((pod) => isActive(pod) && claimNamesOf(pod).includes(metadata.name));
}

function claimsForVolume({ object }: TableChange, client: ControllerClient): readonly string[] {
  const name = stringAt(object, ['spec', 'claimRef', 'name']);
  const namespace = stringAt(object, ['spec', 'claimRef', 'namespace']);
  return name === undefined || namespace === undefined
    ? pendingClaims(client)
    : // A claim may wait to be filled from this one.
      [`${namespace}/${name}`, ...pendingClaims(client, namespace)];
}

function claimsOfPod({ object }: TableChange): readonly string[] {
  return claimNamesOf(object).map((name) => `${object.metadata.namespace ?? ''}/${name}`);
}

function pendingClaims(client: ControllerClient, namespace?: string): readonly string[] {
  return client
    .list(VolumeTable.claims, namespace)
    .filter((claim) => stringAt(claim, ['status', 'phase']) !== 'Bound')
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
}

function capacityOf(volume: KubernetesObject): string {
  return stringAt(volume, ['spec', 'capacity', 'storage']) ?? '0';
}
