import type { ClaimConsistency } from '../model/claim-consistency.ts';
import { compareCodePoints } from '../model/json.ts';
import { stringAt } from '../model/object-path.ts';
import type { BackupRecord } from './backup-record.ts';

/** What the backup has of each claim that was snapshotted, sorted by namespace and name. */
export function claimConsistencies({
  volumes,
  volumeGroups,
  quiesced,
}: Pick<BackupRecord, 'volumes' | 'volumeGroups' | 'quiesced'>): readonly ClaimConsistency[] {
  const groupOf = new Map(
    volumeGroups
      .filter(({ consistency }) => consistency === 'group')
      .flatMap(({ namespace, name, claimNames }) =>
        claimNames.map((claimName) => [`${namespace}/${claimName}`, name]),
      ),
  );
  return volumes
    .filter(({ backupMethod }) => backupMethod === 'CSISnapshot')
    .map((volume): ClaimConsistency => {
      const namespace = stringAt(volume, ['pvcNamespace']) ?? '';
      const claimName = stringAt(volume, ['pvcName']) ?? '';
      const key = `${namespace}/${claimName}`;
      const volumeGroup = groupOf.get(key);
      return {
        ...{ namespace, claimName, level: quiesced.has(key) ? 'application' : 'crash' },
        ...(volumeGroup !== undefined && { volumeGroup }),
      };
    })
    .toSorted(
      (left, right) =>
        compareCodePoints(left.namespace, right.namespace) ||
        compareCodePoints(left.claimName, right.claimName),
    );
}
