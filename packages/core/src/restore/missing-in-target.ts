import type { ResourceIdentifier } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import type { MissingInTarget } from '../model/restore-plan.ts';
import type { DecidedItem } from './item-decider.ts';

const namedObjects = 10;

/** Collects what the target lacks, with some of the objects that need it. */
export class MissingParts {
  readonly #missing = new Map<
    string,
    { what: MissingInTarget['what']; name: string; neededBy: ResourceIdentifier[]; count: number }
  >();

  get all(): readonly MissingInTarget[] {
    return [...this.#missing.values()];
  }

  /** Takes note of something that an object needs. */
  add(what: MissingInTarget['what'], name: string, object: ResourceIdentifier): void {
    const key = `${what} ${name}`;
    const part = this.#missing.get(key) ?? { what, name, neededBy: [], count: 0 };
    part.count += 1;
    if (part.neededBy.length < namedObjects) {
      part.neededBy.push(object);
    }
    this.#missing.set(key, part);
  }
}

/** What the target lacks for an item that is blocked; `undefined` when it is blocked by something else. */
export function missingFor(
  { entry, object, decision, item }: DecidedItem,
  serves: (groupResource: string) => boolean,
): Pick<MissingInTarget, 'what' | 'name'> | undefined {
  if (decision.action !== 'blocked') {
    return undefined;
  }
  switch (decision.blocked.reason) {
    case 'ResourceNotServed':
      return serves(entry.groupResource)
        ? { what: 'APIVersion', name: object?.apiVersion ?? '' }
        : { what: 'Resource', name: entry.groupResource };
    case 'StorageClassMissing': {
      const name = item && stringAt(item.manifest, ['spec', 'storageClassName']);
      return { what: 'StorageClass', name: name ?? '' };
    }
    case 'DriverMissing':
      return item?.source?.kind === 'snapshot'
        ? { what: 'CSIDriver', name: item.source.snapshot.driver }
        : undefined;
    case 'SnapshotApiMissing':
      return { what: 'SnapshotAPI', name: 'snapshot.storage.k8s.io' };
    default:
      return undefined;
  }
}
