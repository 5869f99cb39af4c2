/** Reads the content of a tar entry, whose size its reader has bounded. */
export async function entryBytes(entry: AsyncIterable<unknown>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry) {
    // Always so, but the parser's declarations do not say it.
    if (chunk instanceof Uint8Array) {
      chunks.push(chunk);
    }
  }
  return Buffer.concat(chunks);
}
