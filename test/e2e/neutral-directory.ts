import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type JsonObject, type JsonValue, parseJson } from '@lifeboat/core';
import { isJsonArray, isJsonObject } from '../../packages/core/src/model/json.ts';
import { type ArchiveEntry, readEntries } from './backup-directory.ts';
import { neutralJson, neutralText } from './neutral-json.ts';

/** The directory of a backup in terms in which those of two clusters can be compared. */
export interface NeutralDirectory {
  /** The names of its files. */
  readonly files: readonly string[];
  /** Path → what is there, of all but Events. Of what has the same name when it is neutral, all but the first have a number behind it. */
  readonly entries: ReadonlyMap<string, NeutralEntry>;
  /** File → its JSON, of all files but the archive and the logs. Lists of things with names are objects by name. */
  readonly json: ReadonlyMap<string, JsonValue>;
  readonly logs: readonly string[];
}

/** A file of an archive. */
export interface NeutralEntry {
  readonly header: JsonObject;
  readonly content: JsonValue;
}

/** How to read {@link readNeutralDirectory}. */
export interface NeutralDirectoryOptions {
  readonly folder: string;
  readonly backup: string;
  /** Gives the text of every file and name the names of the reference. @default as it is */
  readonly rename?: ((text: string) => string) | undefined;
  /** Whether an object is looked at. @default every object */
  readonly includes?: ((path: string, content: JsonValue) => boolean) | undefined;
}

/** How to read {@link neutralEntries}. */
export interface NeutralEntriesOptions
  extends Pick<NeutralDirectoryOptions, 'rename' | 'includes'> {
  /** What is left of the content of an object. @default what {@link neutralJson} leaves of it */
  readonly neutral?: ((value: JsonValue) => JsonValue) | undefined;
}

/** Reads the directory of a backup. */
export async function readNeutralDirectory({
  folder,
  backup,
  rename = (text) => text,
  includes,
}: NeutralDirectoryOptions): Promise<NeutralDirectory> {
  const files = await readdir(folder);
  const textOf = async (file: string): Promise<string> => {
    const bytes = await readFile(join(folder, file));
    return rename((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString());
  };
  const archive = await readEntries(await readFile(join(folder, `${backup}.tar.gz`)));
  const json = new Map<string, JsonValue>();
  for (const file of files.filter((name) => !/logs\.gz$|tar\.gz$|lifeboat/.test(name))) {
    json.set(rename(file), byName(neutralJson(parseJson(await textOf(file)))));
  }
  return {
    files: files.map(rename).sort(),
    entries: neutralEntries(archive, { rename, includes }),
    json,
    logs: (await textOf(`${backup}-logs.gz`)).trimEnd().split('\n').map(neutralText),
  };
}

/** Entries of an archive in terms in which those of two clusters can be compared: see {@link NeutralDirectory.entries}. */
export function neutralEntries(
  archive: readonly ArchiveEntry[],
  { rename = (text) => text, includes = () => true, neutral = neutralJson }: NeutralEntriesOptions,
): ReadonlyMap<string, NeutralEntry> {
  const entries = archive
    .filter(({ path }) => !path.startsWith('resources/events/'))
    .map(({ path, header, text }) => {
      const json = (): JsonValue => withoutProgress(path, neutral(parseJson(rename(text))));
      return {
        path: neutralText(rename(path)),
        header,
        content: path.endsWith('.json') ? json() : text,
      };
    })
    .filter(({ path, content }) => includes(path, content))
    .map((entry) => ({ entry, text: orderOf(entry.content) }))
    .sort((one, other) => (one.text < other.text ? -1 : 1));
  const numbered = new Map<string, NeutralEntry>();
  const counts = new Map<string, number>();
  for (const { entry } of entries) {
    const { path, ...rest } = entry;
    const count = (counts.get(path) ?? 0) + 1;
    counts.set(path, count);
    numbered.set(count === 1 ? path : `${path} ${count}`, rest);
  }
  return numbered;
}

/**
 * An object without what controllers keep noting in its status, but for its phase: in which order, how often and with which reasons
 * depends on who is faster. Of volumes and snapshots all of it counts.
 */
function withoutProgress(path: string, content: JsonValue): JsonValue {
  if (/^resources\/(persistentvolume|volumesnapshot)/.test(path) || !isJsonObject(content)) {
    return content;
  }
  const { status, ...rest } = content;
  const phase = isJsonObject(status) ? status['phase'] : undefined;
  return status === undefined ? content : { ...rest, status: phase === undefined ? {} : { phase } };
}

/** By what things of one name are numbered: by what is in them, and by their metadata only where that is the same. */
function orderOf(content: JsonValue): string {
  const { metadata = null, ...rest } = isJsonObject(content) ? content : { content };
  return JSON.stringify([rest, metadata]);
}

/** Lists in the order of who was faster → objects: of names how often each is there, of things by what they are about. */
function byName(value: JsonValue): JsonValue {
  if (isJsonArray(value) && value.length > 0) {
    const names = value.filter((item) => typeof item === 'string');
    return names.length === value.length
      ? counted(names)
      : Object.fromEntries(value.map((item) => [nameOf(item), item]));
  }
  const isResourceList = isJsonObject(value) && Object.values(value).every(isJsonArray);
  return isResourceList
    ? Object.fromEntries(Object.entries(value).map(([key, list = null]) => [key, byName(list)]))
    : value;
}

function counted(names: readonly string[]): JsonObject {
  const counts = new Map<string, number>();
  for (const name of names) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

function nameOf(item: JsonValue): string {
  const text = JSON.stringify(item);
  return /"(?:pvcName|Name)":"(?<name>[^"]*)"/.exec(text)?.groups?.['name'] ?? text;
}
