import type { JsonValue } from '@lifeboat/core';
import type { FoundDifference } from './explained-differences.ts';
import { jsonDifferences } from './json-differences.ts';
import type { NeutralDirectory } from './neutral-directory.ts';

/**
 * Lists where two directories of backups differ. `file` is `directory` for the names of its files, `archive` for the paths and headers
 * in the archive, the path of an object for what is in it, else the name of a file. Of the two copies of an object the one
 * without a version is compared with the reference, and the other one with it.
 */
export function compareDirectories(
  ours: NeutralDirectory,
  reference: NeutralDirectory,
): readonly FoundDifference[] {
  const compare = (file: string, see: (directory: NeutralDirectory) => JsonValue | undefined) =>
    jsonDifferences(see(ours), see(reference)).map((difference) => ({ file, ...difference }));
  const common = [...reference.entries.keys()].filter((path) => ours.entries.has(path));
  const versionedPaths = [...ours.entries.keys()].filter((path) => path !== withoutVersion(path));
  const files = reference.files.filter((file) => ours.json.has(file));
  return [
    ...compare('directory', ({ files: names }) =>
      Object.fromEntries(names.map((name) => [name, true])),
    ),
    ...compare('archive', ({ entries }) =>
      Object.fromEntries([...entries].map(([path, { header }]) => [path, header])),
    ),
    ...files.flatMap((file) => compare(file, ({ json }) => json.get(file))),
    ...common
      .filter((path) => !path.includes('-preferredversion/'))
      .flatMap((path) => compare(path, (directory) => contentOf(directory, path))),
    ...versionedPaths.flatMap((path) =>
      jsonDifferences(contentOf(ours, path), contentOf(ours, withoutVersion(path))).map(
        (difference) => ({ file: path, ...difference }),
      ),
    ),
  ];
}

/** The path of the other copy of an object. */
function withoutVersion(path: string): string {
  return path.replace(/\/v\d\w*-preferredversion\//, '/');
}

function contentOf({ entries }: NeutralDirectory, path: string): JsonValue | undefined {
  return entries.get(path)?.content;
}
