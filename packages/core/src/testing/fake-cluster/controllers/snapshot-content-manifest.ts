import type { KubernetesManifest, KubernetesObject } from '../../../model/kubernetes.ts';
import { objectAt, stringAt } from '../../../model/object-path.ts';
import type { ControllerClient } from './controller-client.ts';
import { contentNameOf, SnapshotTable } from './snapshot-objects.ts';

const secretParameters = ['secret-name', 'secret-namespace'] as const;

/** The content to make for a VolumeSnapshot of a claim, or why none can be made. */
export type NewContent =
  | {
      readonly claim: KubernetesObject;
      readonly className: string;
      readonly manifest: KubernetesManifest;
    }
  | { readonly failure: string };

/** Makes the content of a dynamic VolumeSnapshot. */
export function newContent(snapshot: KubernetesObject, client: ControllerClient): NewContent {
  const { namespace = '', name, uid = '', resourceVersion = '' } = snapshot.metadata;
  const failed = (why: string): NewContent => ({
    failure: `Failed to create snapshot content with error ${why}`,
  });
  const claimName = stringAt(snapshot, ['spec', 'source', 'persistentVolumeClaimName']) ?? '';
  const claim = client.get('persistentvolumeclaims', `${namespace}/${claimName}`);
  if (claim === undefined) {
    return failed(
      `cannot get claim from snapshot: persistentvolumeclaims "${claimName}" not found`,
    );
  }
  const volume = client.get('persistentvolumes', stringAt(claim, ['spec', 'volumeName']) ?? '');
  if (volume === undefined || stringAt(claim, ['status', 'phase']) !== 'Bound') {
    return failed(
      `the PVC ${claimName} is not yet bound to a PV, will not attempt to take a snapshot`,
    );
  }
  const driver = stringAt(volume, ['spec', 'csi', 'driver']);
  const volumeHandle = stringAt(volume, ['spec', 'csi', 'volumeHandle']);
  if (driver === undefined || volumeHandle === undefined) {
    return failed(
      `unsupported persistent volume type: ${volume.metadata.name} is not a CSI volume`,
    );
  }
  const snapshotClass = classOf(snapshot, driver, client);
  if (typeof snapshotClass === 'string') {
    return { failure: snapshotClass };
  }
  const classDriver = stringAt(snapshotClass, ['driver']) ?? '';
  if (classDriver !== driver) {
    return failed(`the class is of driver ${classDriver}, the volume of driver ${driver}`);
  }
  const className = snapshotClass.metadata.name;
  const annotations = deletionSecret(snapshotClass);
  return {
    claim,
    className,
    manifest: {
      apiVersion: snapshot.apiVersion,
      kind: 'VolumeSnapshotContent',
      metadata: { name: contentNameOf(snapshot), ...(annotations && { annotations }) },
      spec: {
        deletionPolicy: stringAt(snapshotClass, ['deletionPolicy']) ?? 'Delete',
        driver,
        source: { volumeHandle },
        sourceVolumeMode: stringAt(volume, ['spec', 'volumeMode']) ?? 'Filesystem',
        volumeSnapshotClassName: className,
        volumeSnapshotRef: {
          apiVersion: snapshot.apiVersion,
          kind: 'VolumeSnapshot',
          name,
          namespace,
          resourceVersion,
          uid,
        },
      },
    },
  };
}

/** The class that a VolumeSnapshot names, or the default one of the driver; text says why there is none. */
function classOf(
  snapshot: KubernetesObject,
  driver: string,
  client: ControllerClient,
): KubernetesObject | string {
  const named = stringAt(snapshot, ['spec', 'volumeSnapshotClassName']);
  if (named !== undefined) {
    return (
      client.get(SnapshotTable.classes, named) ??
      `Failed to get snapshot class with error volumesnapshotclass.snapshot.storage.k8s.io "${named}" not found`
    );
  }
  const defaults = client
    .list(SnapshotTable.classes)
    .filter(
      (candidate) =>
        stringAt(candidate, ['driver']) === driver &&
        stringAt(candidate, [
          'metadata',
          'annotations',
          'snapshot.storage.kubernetes.io/is-default-class',
        ]) === 'true',
    );
  const [only, ...others] = defaults;
  return only === undefined || others.length > 0
    ? `Failed to set default snapshot class with error ${defaults.length} default snapshot classes were found`
    : only;
}

/** Where the sidecar finds the secret for a later deletion: the class may be gone by then. */
export function deletionSecret(
  snapshotClass: KubernetesObject,
  prefixes: { readonly parameter: string; readonly annotation: string } = {
    parameter: 'csi.storage.k8s.io/snapshotter-',
    annotation: 'snapshot.storage.kubernetes.io/deletion-',
  },
): Readonly<Record<string, string>> | undefined {
  const parameters = objectAt(snapshotClass, ['parameters']) ?? {};
  const entries = secretParameters.flatMap((suffix) => {
    const value = parameters[`${prefixes.parameter}${suffix}`];
    return typeof value === 'string' ? [[`${prefixes.annotation}${suffix}`, value] as const] : [];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
