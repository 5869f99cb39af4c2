import { compareCodePoints } from '../model/json.ts';
import type { KubernetesObject, StringMap } from '../model/kubernetes.ts';
import { KubernetesAnnotation, VeleroAnnotation, VeleroLabel } from '../model/labels.ts';
import { stringAt } from '../model/object-path.ts';

/** What {@link chooseVolumeSnapshotClass} decides from. */
export interface SnapshotClassQuery {
  /** Every VolumeSnapshotClass of the cluster, in any order; absent when the cluster does not serve them. */
  readonly classes: readonly KubernetesObject[] | undefined;
  /** `spec.csi.driver` of the volume. */
  readonly driver: string;
  /** `provisioner` of the claim's StorageClass: tried where no class has the driver, since the two may differ. */
  readonly provisioner?: string | undefined;
  readonly claimAnnotations: StringMap;
  readonly backupAnnotations: StringMap;
  /** A class named by the caller; wins over everything else. */
  readonly explicit?: string | undefined;
}

/** The class to snapshot with, or why there is none. */
export type SnapshotClassChoice =
  | { readonly snapshotClass: KubernetesObject; readonly warnings: readonly string[] }
  | { readonly refusal: string };

/**
 * Chooses the VolumeSnapshotClass for a volume, in Velero's order: named by the caller, by an annotation of the claim, by
 * an annotation of the backup, by Velero's label, by the default-class annotation, the only class of the driver.
 *
 * - A class that is named but missing or of another driver is a refusal: falling through to another class, as Velero does,
 *   hides a typing error.
 * - Of several labelled (or default) classes the first by name is taken, with a warning.
 * - A refusal names every class and why it is not taken.
 */
export function chooseVolumeSnapshotClass(query: SnapshotClassQuery): SnapshotClassChoice {
  if (query.classes === undefined) {
    return { refusal: apiMissing };
  }
  const classes = query.classes.toSorted((left, right) =>
    compareCodePoints(left.metadata.name, right.metadata.name),
  );
  const drivers = acceptedDrivers(classes, query);
  const named = namedClass(query);
  if (named !== undefined) {
    return findNamed(classes, drivers, named);
  }
  const fit = classes.filter((candidate) => drivers.includes(driverOf(candidate)));
  const labelled = fit.filter(isLabelled);
  const preferred = labelled.length > 0 ? labelled : fit.filter(isDefault);
  const [first, ...others] = preferred.length > 0 ? preferred : fit;
  if (first === undefined || (preferred.length === 0 && others.length > 0)) {
    return { refusal: describeRefusal(classes, fit, query) };
  }
  return { snapshotClass: first, warnings: others.length === 0 ? [] : [ambiguity(first, others)] };
}

const apiMissing =
  'the cluster does not serve VolumeSnapshotClasses (snapshot.storage.k8s.io): install the CRDs and the snapshot-controller of external-snapshotter';

interface NamedClass {
  readonly name: string;
  readonly namedBy: string;
}

function namedClass(query: SnapshotClassQuery): NamedClass | undefined {
  const { claimAnnotations, backupAnnotations, driver, provisioner, explicit } = query;
  if (explicit !== undefined) {
    return { name: explicit, namedBy: `the caller for driver ${driver}` };
  }
  const byClaim = ownValue(claimAnnotations, VeleroAnnotation.volumeSnapshotClass);
  if (byClaim !== undefined) {
    return {
      name: byClaim,
      namedBy: `annotation ${VeleroAnnotation.volumeSnapshotClass} of the claim`,
    };
  }
  for (const candidate of [driver, provisioner]) {
    // Velero's key is the driver in lower case (velero: pkg/backup/actions/csi).
    const key = `${VeleroAnnotation.volumeSnapshotClass}_${candidate?.toLowerCase() ?? ''}`;
    const byBackup = ownValue(backupAnnotations, key);
    if (candidate !== undefined && byBackup !== undefined) {
      return { name: byBackup, namedBy: `annotation ${key} of the backup` };
    }
  }
  return undefined;
}

function findNamed(
  classes: readonly KubernetesObject[],
  drivers: readonly string[],
  { name, namedBy }: NamedClass,
): SnapshotClassChoice {
  // Velero compares names without case.
  const found = classes.find(
    (candidate) => candidate.metadata.name.toLowerCase() === name.toLowerCase(),
  );
  if (found === undefined) {
    return {
      refusal: `VolumeSnapshotClass ${name === '' ? '""' : name}, named by ${namedBy}, does not exist; ${existing(classes)}`,
    };
  }
  return drivers.includes(driverOf(found))
    ? { snapshotClass: found, warnings: [] }
    : {
        refusal: `VolumeSnapshotClass ${found.metadata.name}, named by ${namedBy}, is of driver ${driverOf(found)}, but the volume is of driver ${drivers.join(' or ')}`,
      };
}

/** The volume's own driver, or, where no class at all has it, also the provisioner of its StorageClass. */
function acceptedDrivers(
  classes: readonly KubernetesObject[],
  { driver, provisioner }: SnapshotClassQuery,
): readonly string[] {
  const known = classes.some((candidate) => driverOf(candidate) === driver);
  return known || provisioner === undefined || provisioner === driver
    ? [driver]
    : [driver, provisioner];
}

function ambiguity(chosen: KubernetesObject, others: readonly KubernetesObject[]): string {
  const mark = isLabelled(chosen)
    ? `label ${VeleroLabel.volumeSnapshotClass}`
    : `annotation ${KubernetesAnnotation.defaultVolumeSnapshotClass}`;
  return `several VolumeSnapshotClasses of driver ${driverOf(chosen)} carry ${mark}: ${chosen.metadata.name} is used, the first by name; ${namesOf(others)} too. Leave the mark on one only, or name the class in the claim's annotation ${VeleroAnnotation.volumeSnapshotClass}`;
}

function describeRefusal(
  classes: readonly KubernetesObject[],
  fit: readonly KubernetesObject[],
  { driver, provisioner }: SnapshotClassQuery,
): string {
  const wanted =
    provisioner === undefined || provisioner === driver
      ? driver
      : `${driver} (provisioner ${provisioner})`;
  return fit.length === 0
    ? `no VolumeSnapshotClass for driver ${wanted}: ${existing(classes)}. Create one with that driver`
    : `no VolumeSnapshotClass for driver ${wanted} can be preferred: ${namesOf(fit)} fit equally${othersOf(classes, fit)}. Put label ${VeleroLabel.volumeSnapshotClass} on one of them, or name it in the claim's annotation ${VeleroAnnotation.volumeSnapshotClass}`;
}

function existing(classes: readonly KubernetesObject[]): string {
  return classes.length === 0 ? 'the cluster has none' : `there are ${withDrivers(classes)}`;
}

function othersOf(classes: readonly KubernetesObject[], fit: readonly KubernetesObject[]): string {
  const others = classes.filter((candidate) => !fit.includes(candidate));
  return others.length === 0 ? '' : ` (not fit: ${withDrivers(others)})`;
}

function withDrivers(classes: readonly KubernetesObject[]): string {
  return classes
    .map((candidate) => `${candidate.metadata.name} (driver ${driverOf(candidate)})`)
    .join(', ');
}

function namesOf(classes: readonly KubernetesObject[]): string {
  return classes.map((candidate) => candidate.metadata.name).join(', ');
}

function driverOf(snapshotClass: KubernetesObject): string {
  return stringAt(snapshotClass, ['driver']) ?? '';
}

// Presence counts, whatever the value (velero: pkg/util/csi).
function isLabelled(snapshotClass: KubernetesObject): boolean {
  return Object.hasOwn(snapshotClass.metadata.labels ?? {}, VeleroLabel.volumeSnapshotClass);
}

function isDefault(snapshotClass: KubernetesObject): boolean {
  return Object.hasOwn(
    snapshotClass.metadata.annotations ?? {},
    KubernetesAnnotation.defaultVolumeSnapshotClass,
  );
}

function ownValue(map: StringMap, key: string): string | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
