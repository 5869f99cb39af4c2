import { hash } from 'node:crypto';
import type { GzipMembers } from './gzip-members.ts';
import { TarFraming } from './tar-framing.ts';
import { TarStreamWriter } from './tar-stream-writer.ts';

/** Where a group of files of the same content lies in the stretch of tar that a gzip member holds. */
export interface GroupPlace {
  readonly member: number;
  readonly offset: number;
  readonly tarBytes: number;
  /** Of the content. */
  readonly sizeBytes: number;
  /** Of the content, in base64. */
  readonly sha256: string;
}

/** A group that has not come out of the tar stream yet. */
interface ComingGroup {
  filesLeft: number;
  readonly onPlace: (place: GroupPlace) => void;
  readonly sizeBytes: number;
  readonly sha256: string;
}

// The tar stream takes a turn of the event loop for each file, and whoever appends need not wait for each. What is under way outlives
// collections of garbage, and V8 enlarges the space for new objects by how much that is.
const mostComing = 8;
const mostComingBytes = 128 * 1024;

/** Writes groups of files as a tar into gzip members, which end only where groups do. */
export class TarGroups {
  readonly #members: GzipMembers;
  readonly #tar: TarStreamWriter;
  readonly #framing = new TarFraming();
  readonly #coming: ComingGroup[] = [];
  // Holds their content, since memory that is allocated for each object waits for the garbage collector.
  readonly #contents = Buffer.allocUnsafe(mostComingBytes);
  #contentsBytes = 0;

  constructor(members: GzipMembers, modifiedAt: Date) {
    this.#members = members;
    this.#tar = new TarStreamWriter(modifiedAt, {
      onChunk: (chunk) => this.#take(chunk),
      onFailure: (error) => members.destroy(error),
    });
  }

  /** Whether a group can be taken without waiting. */
  get hasRoom(): boolean {
    const isFew = this.#coming.length < mostComing && this.#contentsBytes < mostComingBytes;
    return isFew && this.#members.hasRoom;
  }

  /** Resolves when there is room; rejects with what the members were destroyed with. */
  async room(): Promise<void> {
    await this.#members.until(() => this.#coming.length === 0 && this.hasRoom);
  }

  /** Takes regular files of the same content as a group, and tells their place when they have come out of the tar stream. */
  append(paths: readonly string[], text: string, onPlace: (place: GroupPlace) => void): void {
    const content = this.#contentOf(text);
    const sizeBytes = content.byteLength;
    const sha256 = hash('sha256', content, 'base64');
    this.#coming.push({ filesLeft: paths.length, onPlace, sizeBytes, sha256 });
    for (const path of paths) {
      this.#tar.append(path, content);
    }
  }

  /** Ends tar and members. Nothing can be appended afterwards. */
  async end(): Promise<void> {
    await this.#members.until(() => this.#coming.length === 0);
    await this.#tar.finalize();
    this.#members.end();
  }

  /** The bytes of a text, which stay until every group has come out. */
  #contentOf(text: string): Buffer {
    const start = this.#contentsBytes;
    const sizeBytes = Buffer.byteLength(text);
    this.#contentsBytes += sizeBytes;
    if (this.#contentsBytes > mostComingBytes) {
      return Buffer.from(text);
    }
    this.#contents.write(text, start);
    return this.#contents.subarray(start, this.#contentsBytes);
  }

  #take(chunk: Uint8Array): void {
    let from = 0;
    for (let end = this.#framing.fileEnd(chunk, 0); end !== undefined; ) {
      const [group] = this.#coming;
      if (group !== undefined) {
        group.filesLeft -= 1;
        if (group.filesLeft === 0) {
          this.#members.write(chunk.subarray(from, end));
          from = end;
          this.#endGroup(group);
        }
      }
      end = this.#framing.fileEnd(chunk, end);
    }
    // Most chunks are part of one group. Even a view of one is an object of its own.
    this.#members.write(from === 0 ? chunk : chunk.subarray(from));
  }

  #endGroup({ onPlace, sizeBytes, sha256 }: ComingGroup): void {
    this.#coming.shift();
    if (this.#coming.length === 0) {
      this.#contentsBytes = 0;
    }
    onPlace({ ...this.#members.endGroup(), sizeBytes, sha256 });
  }
}
