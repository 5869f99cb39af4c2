import type { StringMap } from './kubernetes.ts';

/** The `spec` of a Velero BackupStorageLocation, as far as it says where backups are. */
export interface BackupStorageLocationSpec {
  /** `aws`, `gcp`, `azure`, with or without `velero.io/` in front. */
  readonly provider: string;
  readonly objectStorage: {
    readonly bucket: string;
    readonly prefix?: string | undefined;
    /** PEM, in base64 as Kubernetes keeps bytes. */
    readonly caCert?: string | undefined;
  };
  readonly config?: StringMap | undefined;
  /** Names the key of a Secret. Nothing reads it: what it holds is given beside the location. */
  readonly credential?: { readonly name: string; readonly key: string } | undefined;
}
