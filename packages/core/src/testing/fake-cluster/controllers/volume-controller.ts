import { messageOf } from '../../../errors.ts';
import type { KubernetesObject } from '../../../model/kubernetes.ts';
import { arrayAt, objectAt, stringAt, withValueAt } from '../../../model/object-path.ts';
import type { Clock } from '../../../ports/clock.ts';
import { withoutFinalizer } from '../admission/set-missing.ts';
import { CsiCallFailure } from '../csi/csi-faults.ts';
import type { CsiService } from '../csi/csi-service.ts';
import type { TableChange } from '../object-table.ts';
import { type Controller, ownKeys, type Requeue } from './controller.ts';
import type { ControllerClient } from './controller-client.ts';
import { RetryPause } from './retry-pause.ts';
import { VolumeFinalizer, VolumeTable } from './volume-objects.ts';

/** Keeps the phase of volumes, and has the driver delete those that are to be deleted with their claim. */
export class VolumeController implements Controller {
  readonly name = 'csi-provisioner';
  readonly triggers: Controller['triggers'] = [
    ownKeys(VolumeTable.volumes),
    { table: VolumeTable.claims, keys: volumeOfClaim },
  ];
  readonly #csi: CsiService;
  readonly #pause: RetryPause;

  constructor(csi: CsiService, clock: Clock) {
    this.#csi = csi;
    this.#pause = new RetryPause(clock);
  }

  async reconcile(name: string, client: ControllerClient): Promise<Requeue | undefined> {
    const volume = client.get(VolumeTable.volumes, name);
    if (volume === undefined) {
      return undefined;
    }
    const phase = phaseOf(volume, client);
    const current =
      phase === stringAt(volume, ['status', 'phase'])
        ? volume
        : client.write(VolumeTable.volumes, volume, withValueAt(volume, ['status'], { phase }));
    if (phase === 'Bound') {
      return undefined;
    }
    const isOurs = stringAt(current, ['spec', 'csi', 'driver']) === this.#csi.driverName;
    const isDoomed = stringAt(current, ['spec', 'persistentVolumeReclaimPolicy']) === 'Delete';
    if (phase === 'Released' && isDoomed && isOurs) {
      return this.#reclaim(current, client);
    }
    if (current.metadata.deletionTimestamp !== undefined) {
      release(current, client);
    }
    return undefined;
  }

  async #reclaim(volume: KubernetesObject, client: ControllerClient): Promise<Requeue | undefined> {
    const { name } = volume.metadata;
    const pause = this.#pause.current(name);
    if (pause !== undefined) {
      return pause;
    }
    try {
      const handle = stringAt(volume, ['spec', 'csi', 'volumeHandle']) ?? '';
      await this.#csi.deleteVolume(handle, client.signal);
    } catch (error) {
      if (!(error instanceof CsiCallFailure)) {
        throw error;
      }
      const message = messageOf(error);
      client.note(volume, { type: 'Warning', reason: 'VolumeFailedDelete', message });
      return this.#pause.next(name);
    }
    this.#pause.reset(name);
    const latest = client.get(VolumeTable.volumes, name);
    if (latest !== undefined) {
      client.delete(VolumeTable.volumes, latest);
    }
    const marked = client.get(VolumeTable.volumes, name);
    if (marked !== undefined) {
      release(marked, client);
    }
    return undefined;
  }
}

function release(volume: KubernetesObject, client: ControllerClient): void {
  const hasFinalizers = arrayAt(volume, ['metadata', 'finalizers']).length > 0;
  if (hasFinalizers) {
    const released = withoutFinalizer(
      withoutFinalizer(volume, VolumeFinalizer.volume),
      VolumeFinalizer.provisioned,
    );
    client.write(VolumeTable.volumes, volume, released);
  }
}

function phaseOf(volume: KubernetesObject, client: ControllerClient): string {
  const reference = objectAt(volume, ['spec', 'claimRef']);
  const uid = (reference && stringAt(reference, ['uid'])) ?? '';
  if (reference === undefined || uid === '') {
    return 'Available';
  }
  const key = `${stringAt(reference, ['namespace']) ?? ''}/${stringAt(reference, ['name']) ?? ''}`;
  return client.get(VolumeTable.claims, key)?.metadata.uid === uid ? 'Bound' : 'Released';
}

function volumeOfClaim({ object }: TableChange): readonly string[] {
  const name = stringAt(object, ['spec', 'volumeName']) ?? '';
  return name === '' ? [] : [name];
}
