import type { JsonValue } from '../model/json.ts';

/** How the bytes of a file are made from its value. */
export type ArtifactEncoding =
  /** Indented JSON, not compressed. */
  | 'json'
  /** One JSON value and a newline, gzip. */
  | 'json.gz'
  /** Lines of text, gzip. */
  | 'text.gz'
  /** A tar archive, gzip. */
  | 'tar.gz';

/** What is known of one kind of file in a backup's or restore's directory. */
export interface ArtifactDescription {
  /** Name of the file; `{name}` stands for the name of the backup or restore. */
  readonly fileName: string;
  readonly encoding: ArtifactEncoding;
  readonly contentType: 'application/json' | 'application/gzip';
  /** What Velero writes when there is nothing to tell. A reader takes a missing file for the same. */
  readonly empty?: JsonValue;
  /** The first version of Velero that writes it; absent when every version does, or none: the file is ours. */
  readonly since?: string;
  /** The last version of Velero that writes it; absent when the newest does. */
  readonly until?: string;
  /** The operations that cannot do without it. */
  readonly requiredBy: readonly ('list' | 'restore')[];
}

/** The files of `backups/<name>/`. Velero's, except for the last two, which it ignores. */
export const backupArtifacts = {
  backup: {
    fileName: 'velero-backup.json',
    encoding: 'json',
    contentType: 'application/json',
    requiredBy: ['list', 'restore'],
  },
  archive: {
    fileName: '{name}.tar.gz',
    encoding: 'tar.gz',
    contentType: 'application/gzip',
    requiredBy: ['restore'],
  },
  logs: {
    fileName: '{name}-logs.gz',
    encoding: 'text.gz',
    contentType: 'application/gzip',
    requiredBy: [],
  },
  podVolumeBackups: {
    fileName: '{name}-podvolumebackups.json.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: null,
    requiredBy: [],
  },
  /** Snapshots of Velero's own plugins, not CSI snapshots. */
  volumeSnapshots: {
    fileName: '{name}-volumesnapshots.json.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: null,
    requiredBy: [],
  },
  resourceList: {
    fileName: '{name}-resource-list.json.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: {},
    since: '1.4',
    requiredBy: [],
  },
  csiVolumeSnapshots: {
    fileName: '{name}-csi-volumesnapshots.json.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: null,
    since: '1.4',
    until: '1.16',
    requiredBy: [],
  },
  csiVolumeSnapshotContents: {
    fileName: '{name}-csi-volumesnapshotcontents.json.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: null,
    since: '1.4',
    until: '1.16',
    requiredBy: [],
  },
  csiVolumeSnapshotClasses: {
    fileName: '{name}-csi-volumesnapshotclasses.json.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: null,
    since: '1.9',
    until: '1.17',
    requiredBy: [],
  },
  results: {
    fileName: '{name}-results.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: { errors: {}, warnings: {} },
    since: '1.10',
    requiredBy: [],
  },
  itemOperations: {
    fileName: '{name}-itemoperations.json.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: [],
    since: '1.11',
    requiredBy: [],
  },
  volumeInfo: {
    fileName: '{name}-volumeinfo.json.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: [],
    since: '1.13',
    requiredBy: [],
  },
  /** Digests of the other files. */
  manifest: {
    fileName: 'lifeboat-manifest.json',
    encoding: 'json',
    contentType: 'application/json',
    requiredBy: [],
  },
  /** Where in the archive each object lies. */
  index: {
    fileName: 'lifeboat-index.json.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: [],
    requiredBy: [],
  },
} as const;

/** The files of `restores/<name>/`. Velero's, of which one lacks the prefix of the others, and one of ours, which it ignores. */
export const restoreArtifacts = {
  logs: {
    fileName: 'restore-{name}-logs.gz',
    encoding: 'text.gz',
    contentType: 'application/gzip',
    requiredBy: [],
  },
  results: {
    fileName: 'restore-{name}-results.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: { errors: {}, warnings: {} },
    requiredBy: [],
  },
  resourceList: {
    fileName: 'restore-{name}-resource-list.json.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: {},
    since: '1.11',
    requiredBy: [],
  },
  itemOperations: {
    fileName: 'restore-{name}-itemoperations.json.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: [],
    since: '1.11',
    requiredBy: [],
  },
  volumeInfo: {
    fileName: '{name}-volumeinfo.json.gz',
    encoding: 'json.gz',
    contentType: 'application/gzip',
    empty: [],
    since: '1.14',
    requiredBy: [],
  },
  /** The Restore, which tells whose backup it was. */
  restore: {
    fileName: 'lifeboat-restore.json',
    encoding: 'json',
    contentType: 'application/json',
    requiredBy: [],
  },
} as const;

/** A file of a backup's directory. */
export type BackupArtifact = keyof typeof backupArtifacts;

/** A file of a restore's directory. */
export type RestoreArtifact = keyof typeof restoreArtifacts;

/** The artifacts of a table that have a given encoding. */
type Encoded<Table, Encoding extends ArtifactEncoding> = {
  [Artifact in keyof Table]: Table[Artifact] extends { readonly encoding: Encoding }
    ? Artifact
    : never;
}[keyof Table];

/** A file of a backup's directory that holds one compressed JSON value. */
export type BackupJsonArtifact = Encoded<typeof backupArtifacts, 'json.gz'>;

/** A file of a backup's directory that holds text. */
export type BackupTextArtifact = Encoded<typeof backupArtifacts, 'text.gz'>;

/** A file of a restore's directory that holds one compressed JSON value. */
export type RestoreJsonArtifact = Encoded<typeof restoreArtifacts, 'json.gz'>;

/** A file of a restore's directory that holds text. */
export type RestoreTextArtifact = Encoded<typeof restoreArtifacts, 'text.gz'>;
