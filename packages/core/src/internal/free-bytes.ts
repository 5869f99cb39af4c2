/**
 * Gives memory back that nobody reads any more: what is outside of the heap and only dropped stays until the garbage collector comes, which is
 * long after the process has grown by a multiple of what is in use. The bytes are gone then. What is so short that Node.js may have put it
 * into memory that others share is left to the collector.
 *
 * @param bytes all of a Buffer that was made for them alone.
 */
export function freeBytes(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.byteLength >= Buffer.poolSize) {
    bytes.buffer.transfer(0);
  }
}
