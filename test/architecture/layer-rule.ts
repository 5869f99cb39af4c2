import { posix } from 'node:path';
import ts from 'typescript';

/** A source file of `packages/core`, its path relative to `packages/core/src`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The layers from the innermost outwards: a layer imports from the groups before its own, never from a neighbour. */
const groups: readonly (readonly string[])[] = [
  ['model'],
  ['errors'],
  ['ports'],
  ['internal'],
  ['selection', 'archive', 'stores'],
  ['catalog', 'discovery', 'hooks', 'operations', 'snapshot'],
  ['backup', 'restore', 'retention'],
  ['engine'],
  ['index'],
];

/** Entry points beside `index`: no layer imports them, and they see only what is named here. */
const leaves: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes', ['model', 'errors', 'ports', 'internal']],
  ['testing', ['model', 'errors', 'ports', 'internal', 'stores']],
]);

/** Packages that only one place may import. */
const homes: ReadonlyMap<string, string> = new Map([
  ['@kubernetes/client-node', 'kubernetes'],
  ['undici', 'kubernetes'],
  ['ws', 'kubernetes'],
  ['archiver', 'archive'],
  ['tar-stream', 'archive'],
  ['re2js', 'restore'],
]);

const forbiddenNames = /(^|\/)(utils?|helpers?|common|types|misc)(\.test)?(\.ts$|\/)/;
const maxLines = 300;
/** The one file that reads the description of its package. */
const versionFile = 'internal/version.ts';

/**
 * Returns what is wrong with a file, one sentence each: an import that points outwards or sideways, a package
 * imported outside its home, a forbidden name, too many lines.
 *
 * - A test may import what its layer may, and `testing` besides.
 * - `<name>-fixture.ts` is support for tests beside it: a test to these rules, which only tests may import.
 * - Type imports count: a type from an outer layer ties the layers just as well.
 */
export function violationsOf({ path, text }: SourceFile): readonly string[] {
  return [
    ...nameViolations(path),
    ...sizeViolations(path, text),
    ...importsOf(text).flatMap((specifier) => importViolations(path, specifier)),
  ];
}

function nameViolations(path: string): string[] {
  if (forbiddenNames.test(path)) {
    return [`${path}: the name says nothing; name the file after its main export`];
  }
  return /^[a-z0-9-]+(\.test)?\.ts$/.test(posix.basename(path))
    ? []
    : [`${path}: file names are kebab-case`];
}

function sizeViolations(path: string, text: string): string[] {
  const lines = text.trimEnd().split('\n').length;
  if (lines <= maxLines || isTest(path)) return [];
  return [`${path}: ${lines} lines, at most ${maxLines}; split it by subject`];
}

function importsOf(text: string): readonly string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

function importViolations(path: string, specifier: string): string[] {
  const layer = layerOf(path);
  if (!specifier.startsWith('.')) return packageViolations(path, layer, specifier);
  const target = posix.join(posix.dirname(path), specifier);
  if (target === '../package.json' && path === versionFile) return [];
  if (target.startsWith('..')) return [`${path}: imports ${specifier}, outside packages/core/src`];
  const allowed = allowedLayers(layer);
  if (allowed === undefined) {
    return [`${path}: "${layer}" is no layer; add it to test/architecture/layer-rule.ts`];
  }
  const targetLayer = layerOf(target);
  if (isTest(target) && !isTest(path)) {
    return [`${path}: imports ${specifier}, which is support for tests and not published`];
  }
  if (targetLayer === layer || allowed.includes(targetLayer)) return [];
  if (targetLayer === 'testing' && isTest(path)) return [];
  return [`${path}: ${layer} must not import ${targetLayer} (${specifier}); imports point inwards`];
}

function packageViolations(path: string, layer: string, specifier: string): string[] {
  if (isTest(path)) return [];
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  // A digest is a total function of its bytes: the one built-in the model may use.
  if (layer === 'model' && name !== 'node:crypto') {
    return [`${path}: model is pure and imports no package (${specifier})`];
  }
  const home = homes.get(name);
  if (home === undefined || home === layer) return [];
  return [`${path}: only ${home} imports ${name}`];
}

function allowedLayers(layer: string): readonly string[] | undefined {
  const leaf = leaves.get(layer);
  if (leaf !== undefined) return leaf;
  const index = groups.findIndex((group) => group.includes(layer));
  return index === -1 ? undefined : groups.slice(0, index).flat();
}

function layerOf(path: string): string {
  return path.split('/')[0]?.replace(/(\.test)?\.ts$/, '') ?? '';
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.endsWith('-fixture.ts');
}
