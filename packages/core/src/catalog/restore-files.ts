import type { JsonValue } from '../model/json.ts';
import type { CallOptions, ObjectStore } from '../ports/object-store.ts';
import {
  type RestoreJsonArtifact,
  type RestoreTextArtifact,
  restoreArtifacts,
} from './artifact.ts';
import { gzipJson, gzipText } from './gzip-json.ts';
import { restoreKey } from './key-layout.ts';

/** Stores one of a restore's JSON files, replacing it if it exists. */
export async function putRestoreArtifact(
  store: ObjectStore,
  name: string,
  artifact: RestoreJsonArtifact,
  value: JsonValue,
  { signal }: CallOptions = {},
): Promise<void> {
  const { contentType } = restoreArtifacts[artifact];
  await store.put(restoreKey(name, artifact), await gzipJson(value), { contentType, signal });
}

/** Stores one of a restore's text files, replacing it if it exists. */
export async function putRestoreText(
  store: ObjectStore,
  name: string,
  artifact: RestoreTextArtifact,
  text: string,
  { signal }: CallOptions = {},
): Promise<void> {
  const { contentType } = restoreArtifacts[artifact];
  await store.put(restoreKey(name, artifact), await gzipText(text), { contentType, signal });
}
