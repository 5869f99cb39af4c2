import type { GroupVersionResource } from '../model/kubernetes.ts';

/** A gzip member of an archive: a stretch that can be decompressed by itself. */
export interface ArchiveMember {
  /** Where it begins in the archive. */
  readonly offset: number;
  /** Compressed. */
  readonly sizeBytes: number;
  /** Decompressed: how much of the tar it holds. */
  readonly tarBytes: number;
}

/** Where an object lies in an archive. Both of its copies are in the same member. */
export interface IndexedObject extends GroupVersionResource {
  readonly namespace?: string | undefined;
  readonly name: string;
  /** Position of its member in {@link ArchiveIndex.members}. */
  readonly member: number;
  /** Where its tar entries begin in the decompressed member. */
  readonly offset: number;
  /** Of its tar entries together. */
  readonly tarBytes: number;
  /** Of its JSON. */
  readonly sizeBytes: number;
  /** Of its JSON, base64. */
  readonly sha256: string;
}

/** Where in an archive each object lies, in the order in which they stand there. */
export interface ArchiveIndex {
  readonly members: readonly ArchiveMember[];
  readonly objects: readonly IndexedObject[];
}
