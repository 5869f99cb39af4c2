import type { Clock } from '../../../ports/clock.ts';
import type { CsiService } from '../csi/csi-service.ts';
import { ClaimController } from './claim-controller.ts';
import type { Controller } from './controller.ts';
import { customResourceController } from './custom-resource-controller.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { groupSnapshotController } from './group-snapshot-controller.ts';
import { GroupSnapshotSidecar } from './group-snapshot-sidecar.ts';
import { namespaceController } from './namespace-controller.ts';
import { PodController } from './pod-controller.ts';
import { snapshotController } from './snapshot-controller.ts';
import { SnapshotSidecar } from './snapshot-sidecar.ts';
import { VolumeController } from './volume-controller.ts';

/** The controllers of a fake cluster with a CSI driver. */
export function controlPlane(csi: CsiService, clock: Clock): readonly Controller[] {
  return [
    namespaceController,
    new GarbageCollector(),
    customResourceController,
    new ClaimController(csi, clock),
    new VolumeController(csi, clock),
    new PodController(),
    snapshotController,
    new SnapshotSidecar(csi, clock),
    groupSnapshotController,
    new GroupSnapshotSidecar(csi, clock),
  ];
}
