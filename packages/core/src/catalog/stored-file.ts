import { hash } from 'node:crypto';

/** What was written into a file of a backup's directory. */
export interface StoredFile {
  readonly fileName: string;
  readonly sizeBytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** Describes a file that is held in memory. */
export function storedFile(fileName: string, bytes: Uint8Array): StoredFile {
  return { fileName, sizeBytes: bytes.byteLength, sha256: hash('sha256', bytes) };
}
