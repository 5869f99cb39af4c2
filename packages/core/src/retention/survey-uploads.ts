import { backupsDirectory } from '../catalog/key-layout.ts';
import { isLifeboatError, messageOf } from '../errors.ts';
import { isDnsSubdomain } from '../model/kubernetes-name.ts';
import type { Logger } from '../ports/logger.ts';
import type { CallOptions, ObjectStore, UnfinishedUpload } from '../ports/object-store.ts';

/** An upload of a file of a backup that is not completed. */
export interface SurveyedUpload extends UnfinishedUpload {
  readonly backupName: string;
}

/** Options of {@link surveyUploads}. */
export interface SurveyUploadsOptions extends CallOptions {
  readonly logger: Logger;
}

/**
 * Looks for uploads into the directories of backups that are not completed. Where the credentials or the server do not let them be
 * listed, that is logged and none are found: nothing else depends on them.
 */
export async function surveyUploads(
  store: ObjectStore,
  { logger, signal }: SurveyUploadsOptions,
): Promise<readonly SurveyedUpload[]> {
  try {
    const uploads = await Array.fromAsync(store.listUploads?.(backupsDirectory, { signal }) ?? []);
    return uploads.flatMap((upload) => {
      const [backupName = '', file] = upload.key.slice(backupsDirectory.length).split('/');
      return file !== undefined && isDnsSubdomain(backupName) ? [{ ...upload, backupName }] : [];
    });
  } catch (error) {
    if (!isLifeboatError(error, 'PermissionDenied') && !isLifeboatError(error, 'InvalidConfig')) {
      throw error;
    }
    logger.warn('uploads that were not completed cannot be listed', { error: messageOf(error) });
    return [];
  }
}
