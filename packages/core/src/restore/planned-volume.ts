import { stringAt } from '../model/object-path.ts';
import type { PlannedRestoreVolume } from '../model/restore-plan.ts';
import type { DecidedItem } from './item-decider.ts';

/** How the volume of a claim would come back; `undefined` when the claim is not restored at all. */
export function plannedVolume({
  target,
  decision,
  item,
}: DecidedItem): PlannedRestoreVolume | undefined {
  const { namespace = '', name: claimName } = target;
  if (item === undefined) {
    return undefined;
  }
  const storageClassName = stringAt(item.manifest, ['spec', 'storageClassName']);
  const place = {
    namespace,
    claimName,
    ...(storageClassName === undefined ? {} : { storageClassName }),
  };
  const { source } = item;
  if (source === undefined) {
    const volumeName = item.live && stringAt(item.live, ['spec', 'volumeName']);
    return { ...place, from: 'existing', ...(volumeName === undefined ? {} : { volumeName }) };
  }
  const blocked = decision.action === 'blocked' ? { message: decision.blocked.message } : {};
  switch (source.kind) {
    case 'snapshot': {
      const { driver, snapshotHandle } = source.snapshot;
      return { ...place, from: 'snapshot', driver, snapshotHandle, ...blocked };
    }
    case 'same volume':
      return { ...place, from: 'same volume', volumeName: source.volumeName, ...blocked };
    case 'new volume': {
      const { warning } = source;
      const message = warning === undefined ? {} : { message: warning };
      return { ...place, from: 'new volume', ...message, ...blocked };
    }
    case 'as it stands':
      return { ...place, from: 'as it stands', ...blocked };
    case 'out of reach':
      return { ...place, from: 'out of reach', message: source.reason };
  }
}
