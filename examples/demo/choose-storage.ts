import type { KubernetesObject } from '@lifeboat/core';
import { textAt } from './text-at.ts';

/** What a cluster offers to claims and snapshots. */
export interface StorageOffer {
  readonly storageClasses: readonly KubernetesObject[];
  /** `undefined`: the cluster has no VolumeSnapshot API. */
  readonly volumeSnapshotClasses: readonly KubernetesObject[] | undefined;
}

/** The StorageClass to use, or what the cluster lacks. */
export type StorageChoice =
  | { readonly storageClassName: string; readonly driver: string }
  | { readonly missing: readonly string[] };

const isDefault = 'storageclass.kubernetes.io/is-default-class';

/**
 * Chooses a StorageClass whose volumes can be snapshotted: its provisioner must have a VolumeSnapshotClass. Of several the
 * default class wins, then the first by name.
 */
export function chooseStorage({
  storageClasses,
  volumeSnapshotClasses,
}: StorageOffer): StorageChoice {
  if (volumeSnapshotClasses === undefined) {
    return {
      missing: [
        'the VolumeSnapshot API (snapshot.storage.k8s.io/v1): install the CRDs and the snapshot-controller of kubernetes-csi/external-snapshotter',
      ],
    };
  }
  const drivers = volumeSnapshotClasses.map((snapshotClass) => textAt(snapshotClass, 'driver'));
  const fit = storageClasses
    .filter((storageClass) => drivers.includes(provisionerOf(storageClass)))
    .sort((left, right) => compare(left, right));
  const [chosen] = fit;
  if (chosen !== undefined) {
    return { storageClassName: chosen.metadata.name, driver: provisionerOf(chosen) };
  }
  return {
    missing: [
      ...(storageClasses.length === 0
        ? ['a StorageClass of a CSI driver: the cluster has none']
        : []),
      ...(volumeSnapshotClasses.length === 0
        ? ['a VolumeSnapshotClass: the cluster has none']
        : []),
      ...(storageClasses.length > 0 && volumeSnapshotClasses.length > 0
        ? [
            `a VolumeSnapshotClass for one of the provisioners ${listed(storageClasses.map(provisionerOf))}: those there are belong to ${listed(drivers)}`,
          ]
        : []),
    ],
  };
}

function provisionerOf(storageClass: KubernetesObject): string {
  return textAt(storageClass, 'provisioner') ?? '';
}

function compare(left: KubernetesObject, right: KubernetesObject): number {
  const rank = ({ metadata }: KubernetesObject): number =>
    metadata.annotations?.[isDefault] === 'true' ? 0 : 1;
  return rank(left) - rank(right) || (left.metadata.name < right.metadata.name ? -1 : 1);
}

function listed(names: readonly (string | undefined)[]): string {
  return [...new Set(names)].sort().join(', ');
}
