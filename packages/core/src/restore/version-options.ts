/** In which versions objects are restored. */
export interface VersionOptions {
  /**
   * Versions by resource, as a user names it (`widgets.example.com`), the most wanted first: of a backup that holds objects in several
   * versions, the first that the target serves too is restored. @default the target's preferred version, then that of the backup
   */
  readonly apiVersionPriorities?: Readonly<Record<string, readonly string[]>> | undefined;
}
