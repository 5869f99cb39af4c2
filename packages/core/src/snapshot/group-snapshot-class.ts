import { compareCodePoints } from '../model/json.ts';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { VeleroAnnotation, VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';

/** What {@link chooseVolumeGroupSnapshotClass} decides from. */
export interface GroupSnapshotClassQuery {
  /** Every VolumeGroupSnapshotClass of the cluster, in any order. */
  readonly classes: readonly KubernetesObject[];
  /** The CSI driver of every volume of the group. */
  readonly driver: string;
  /** The claims of the group. */
  readonly claims: readonly KubernetesObject[];
  readonly backupAnnotations: StringMap;
}

/** The class to take a group with, or why there is none. */
export type GroupSnapshotClassChoice =
  | { readonly groupSnapshotClass: KubernetesObject }
  | { readonly refusal: string };

/**
 * Chooses the VolumeGroupSnapshotClass for a group: named by an annotation of its claims, by an annotation of the backup, the
 * only class of the driver with Velero's label, the only class of the driver.
 *
 * - A class that is named but missing or of another driver is a refusal, and so are claims that name different ones.
 * - Several that fit equally are a refusal that names them. A class without label is taken where the driver has no other,
 *   unlike Velero, which insists on the label.
 */
export function chooseVolumeGroupSnapshotClass(
  query: GroupSnapshotClassQuery,
): GroupSnapshotClassChoice {
  const { driver } = query;
  const classes = query.classes.toSorted((left, right) =>
    compareCodePoints(left.metadata.name, right.metadata.name),
  );
  const byClaims = namesOnClaims(query.claims);
  if (byClaims.length > 1) {
    return {
      refusal: `the claims of the group name different classes in annotation ${VeleroAnnotation.volumeGroupSnapshotClass}: ${byClaims.join(', ')}. One group has one class`,
    };
  }
  const key = `${VeleroAnnotation.volumeGroupSnapshotClassOfDriver}_${driver}`;
  const [byClaim] = byClaims;
  const byBackup = Object.hasOwn(query.backupAnnotations, key)
    ? query.backupAnnotations[key]
    : undefined;
  if (byClaim !== undefined) {
    return findNamed(
      classes,
      driver,
      byClaim,
      `annotation ${VeleroAnnotation.volumeGroupSnapshotClass} of its claims`,
    );
  }
  return byBackup === undefined
    ? onlyClass(classes, driver)
    : findNamed(classes, driver, byBackup, `annotation ${key} of the backup`);
}

function namesOnClaims(claims: readonly KubernetesObject[]): readonly string[] {
  const names = claims.flatMap(
    ({ metadata }) => metadata.annotations?.[VeleroAnnotation.volumeGroupSnapshotClass] ?? [],
  );
  return [...new Set(names)].sort(compareCodePoints);
}

function findNamed(
  classes: readonly KubernetesObject[],
  driver: string,
  name: string,
  namedBy: string,
): GroupSnapshotClassChoice {
  const found = classes.find(({ metadata }) => metadata.name === name);
  if (found === undefined) {
    return {
      refusal: `VolumeGroupSnapshotClass ${name}, named by ${namedBy}, does not exist; ${existing(classes)}`,
    };
  }
  return driverOf(found) === driver
    ? { groupSnapshotClass: found }
    : {
        refusal: `VolumeGroupSnapshotClass ${name}, named by ${namedBy}, is of driver ${driverOf(found)}, but the volumes are of driver ${driver}`,
      };
}

function onlyClass(classes: readonly KubernetesObject[], driver: string): GroupSnapshotClassChoice {
  const fit = classes.filter((candidate) => driverOf(candidate) === driver);
  const labelled = fit.filter(
    ({ metadata }) => metadata.labels?.[VeleroLabel.volumeGroupSnapshotClass] === 'true',
  );
  const preferred = labelled.length > 0 ? labelled : fit;
  const [first, ...others] = preferred;
  if (first === undefined) {
    return {
      refusal: `no VolumeGroupSnapshotClass for driver ${driver}: ${existing(classes)}. Create one with that driver`,
    };
  }
  return others.length === 0
    ? { groupSnapshotClass: first }
    : {
        refusal: `no VolumeGroupSnapshotClass for driver ${driver} can be preferred: ${preferred.map(({ metadata }) => metadata.name).join(', ')} fit equally. Put label ${VeleroLabel.volumeGroupSnapshotClass}=true on one of them only, or name it in the claims' annotation ${VeleroAnnotation.volumeGroupSnapshotClass}`,
      };
}

function existing(classes: readonly KubernetesObject[]): string {
  return classes.length === 0
    ? 'the cluster has none'
    : `there are ${classes.map((candidate) => `${candidate.metadata.name} (driver ${driverOf(candidate)})`).join(', ')}`;
}

function driverOf(groupSnapshotClass: KubernetesObject): string {
  return stringAt(groupSnapshotClass, ['driver']) ?? '';
}
