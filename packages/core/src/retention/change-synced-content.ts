import { isLifeboatError } from '../errors.ts';
import {
  type KubernetesManifest,
  type KubernetesObject,
  referenceTo,
} from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster, WriteOptions } from '../ports/cluster.ts';
import { isSameStaticContent } from '../snapshot/static-pair.ts';
import type { SyncSkipReason } from './sync-request.ts';

const contents = Resources.volumeSnapshotContents;
const attempts = 8;

/** Creates a content; one that another call has made meanwhile is as good. Says why it could not. */
export async function createSyncedContent(
  cluster: Cluster,
  manifest: KubernetesManifest,
  options: WriteOptions,
): Promise<SyncSkipReason | undefined> {
  try {
    await cluster.create(contents, manifest, options);
    return undefined;
  } catch (error) {
    if (!isLifeboatError(error, 'AlreadyExists')) {
      throw error;
    }
  }
  const { name = '' } = manifest.metadata;
  const existing = await cluster.get({ ...contents, name }, { signal: options.signal });
  return existing !== undefined && isSameStaticContent(existing, manifest)
    ? undefined
    : 'NameTaken';
}

/**
 * Deletes a content, unless its policy is no longer Retain: its deletion would free the storage snapshot. The deletion is that of
 * exactly the version whose policy was looked at.
 */
export async function removeSyncedContent(
  cluster: Cluster,
  content: KubernetesObject,
  { dryRun, signal }: WriteOptions,
): Promise<SyncSkipReason | undefined> {
  const reference = referenceTo(contents, content);
  let current: KubernetesObject | undefined = content;
  for (let attempt = 1; ; attempt += 1) {
    if (current === undefined || current.metadata.uid !== content.metadata.uid) {
      return undefined;
    }
    if (stringAt(current, ['spec', 'deletionPolicy']) !== 'Retain') {
      return 'PolicyChanged';
    }
    const { uid, resourceVersion } = current.metadata;
    try {
      await cluster.delete(reference, { uid, resourceVersion, dryRun, signal });
      return undefined;
    } catch (error) {
      if (!isLifeboatError(error, 'Conflict') || attempt === attempts) {
        throw error;
      }
    }
    current = await cluster.get(reference, { signal });
  }
}
