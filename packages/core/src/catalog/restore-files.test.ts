import { gunzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { putRestoreArtifact, putRestoreText } from './restore-files.ts';

async function textOf(store: MemoryObjectStore, key: string): Promise<string> {
  return gunzipSync(Buffer.concat(await Array.fromAsync(await store.get(key)))).toString();
}

describe('the files of a restore', () => {
  it('are stored under the names that Velero gives them', async () => {
    const store = new MemoryObjectStore();
    await putRestoreArtifact(store, 'r1', 'results', { errors: {}, warnings: {} });
    await putRestoreArtifact(store, 'r1', 'volumeInfo', []);
    await putRestoreText(store, 'r1', 'logs', 'one\n');
    expect(await textOf(store, 'restores/r1/restore-r1-results.gz')).toBe(
      '{"errors":{},"warnings":{}}\n',
    );
    expect(await textOf(store, 'restores/r1/r1-volumeinfo.json.gz')).toBe('[]\n');
    expect(await textOf(store, 'restores/r1/restore-r1-logs.gz')).toBe('one\n');
  });
});
