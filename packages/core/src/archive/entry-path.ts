import { LifeboatError } from '../errors.ts';
import { describeObject, type GroupVersionResource, groupResourceOf } from '../model/kubernetes.ts';
import { isDnsLabel } from '../model/kubernetes-name.ts';

/** The object that an archive entry holds, and under which resource and version. */
export interface EntryLocation extends GroupVersionResource {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** What the path of an archive entry says. */
export interface ParsedEntryPath {
  /** `<resource>` or `<resource>.<group>`. */
  readonly groupResource: string;
  /** `v1-preferredversion` or `v1` for a versioned copy; absent for the copy that a restore reads. */
  readonly versionDirectory?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name: string;
}

const root = 'resources';
const extension = '.json';
/** What the directory of the preferred version ends with. */
export const preferredSuffix = '-preferredversion';
const resourceGrammar: RegExp = /^[a-z0-9](?:[-a-z0-9.]{0,315}[a-z0-9])?$/;
const versionGrammar: RegExp = /^[a-z0-9](?:[-a-z0-9]{0,78}[a-z0-9])?$/;
// What the API server accepts at most (a path segment), less control characters and the backslash, which tar tools rewrite.
const nameGrammar: RegExp = /^(?!\.{1,2}$)[^\p{Cc}\p{Cs}/%\\]+$/u;
const longestNameBytes = 1_024;

/**
 * Where an object stands in an archive: the copy that a restore reads, and the one that says its version was the preferred
 * one (velero: format 1.1.0).
 */
export function entryPathsOf(location: EntryLocation): readonly [string, string] {
  const { version, namespace, name } = location;
  const resource = `${root}/${groupResourceOf(location)}`;
  const scope = namespace === undefined ? 'cluster' : `namespaces/${namespace}`;
  const file = `${scope}/${name}${extension}`;
  return [`${resource}/${file}`, `${resource}/${version}${preferredSuffix}/${file}`];
}

/**
 * The paths of an object that is to be written.
 *
 * @throws {LifeboatError} code Unsupported when its name cannot be a file name in an archive.
 */
export function writableEntryPathsOf(location: EntryLocation): readonly [string, string] {
  if (!isWritable(location)) {
    throw new LifeboatError(
      `write archive: the name of ${describeObject(location)} cannot be a file name in a backup`,
      { code: 'Unsupported', operation: 'write archive', target: describeObject(location) },
    );
  }
  return entryPathsOf(location);
}

/** Whether {@link parseEntryPath} will know both paths of an object. */
function isWritable(location: EntryLocation): boolean {
  const { version, namespace, name } = location;
  return (
    resourceGrammar.test(groupResourceOf(location)) &&
    versionGrammar.test(`${version}${preferredSuffix}`) &&
    (namespace === undefined || isDnsLabel(namespace)) &&
    isFileName(name)
  );
}

function isFileName(name: string): boolean {
  return nameGrammar.test(name) && Buffer.byteLength(name) <= longestNameBytes;
}

/**
 * Reads the path of an archive entry. Paths come from files that anybody may have written: whatever is not exactly of the
 * layout, such as a traversal, an absolute path or an unknown file, is `undefined`.
 */
export function parseEntryPath(path: string): ParsedEntryPath | undefined {
  const nameStart = path.lastIndexOf('/') + 1;
  const folder = parseEntryFolder(path.slice(0, nameStart));
  const name = objectNameOf(path.slice(nameStart));
  return folder && name !== undefined ? { ...folder, name } : undefined;
}

/** What the path of a folder, with the slash at its end, says of all the objects in it, as {@link parseEntryPath} does of one. */
export function parseEntryFolder(path: string): Omit<ParsedEntryPath, 'name'> | undefined {
  const [top, groupResource, ...below] = path.split('/');
  if (top !== root || groupResource === undefined || !resourceGrammar.test(groupResource)) {
    return undefined;
  }
  const [first = '', ...rest] = below;
  if (first === 'cluster' || first === 'namespaces') {
    return parseScope(groupResource, undefined, below);
  }
  return versionGrammar.test(first) ? parseScope(groupResource, first, rest) : undefined;
}

/** The name of the object that a file holds; `undefined` when its own name is not that of such a file. */
export function objectNameOf(file: string): string | undefined {
  const name = file.slice(0, -extension.length);
  return file.endsWith(extension) && isFileName(name) ? name : undefined;
}

function parseScope(
  groupResource: string,
  versionDirectory: string | undefined,
  components: readonly string[],
): Omit<ParsedEntryPath, 'name'> | undefined {
  const [scope, namespace] = components;
  const isNamespaced = scope === 'namespaces';
  if (
    components.length !== (isNamespaced ? 3 : 2) ||
    (!isNamespaced && scope !== 'cluster') ||
    (isNamespaced && !isDnsLabel(namespace ?? '')) ||
    components.at(-1) !== ''
  ) {
    return undefined;
  }
  return {
    groupResource,
    ...(versionDirectory !== undefined && { versionDirectory }),
    ...(isNamespaced && { namespace }),
  };
}
