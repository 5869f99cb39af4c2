import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const entryPoints: readonly (readonly [name: string, file: string])[] = [
  ['@lifeboat/core', 'packages/core/src/index.ts'],
  ['@lifeboat/core/kubernetes', 'packages/core/src/kubernetes/index.ts'],
  ['@lifeboat/core/testing', 'packages/core/src/testing/index.ts'],
  ['@lifeboat/storage-azure', 'packages/storage-azure/src/index.ts'],
  ['@lifeboat/storage-gcs', 'packages/storage-gcs/src/index.ts'],
  ['@lifeboat/storage-s3', 'packages/storage-s3/src/index.ts'],
];

it('exports exactly the committed names', async () => {
  await expect(publicSurface()).toMatchFileSnapshot(
    './public-surface.txt',
    'The public surface changed. If that is meant, run `npx vitest run --project unit test/architecture -u`, ' +
      'commit test/architecture/public-surface.txt and add a changeset.',
  );
}, 300_000);

/** Lists what each entry point exports, types included, one name a line. */
function publicSurface(): string {
  const configPath = join(root, 'packages/core/tsconfig.json');
  const { config } = ts.readConfigFile(configPath, (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(root, 'packages/core'));
  const files = entryPoints.map(([, file]) => join(root, file));
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  return entryPoints
    .map(([name], index) => {
      const source = program.getSourceFile(files[index] ?? '');
      const symbol = source && checker.getSymbolAtLocation(source);
      const exported = symbol === undefined ? [] : checker.getExportsOfModule(symbol);
      const lines = exported.map((each) => `  ${kindOf(each, checker)} ${each.name}`).sort();
      return [name, ...lines].join('\n');
    })
    .join('\n\n')
    .concat('\n');
}

// A class that is exported as a type is no value to programs.
function kindOf(symbol: ts.Symbol, checker: ts.TypeChecker): 'value' | 'type ' {
  const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
  const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
  const isTypeOnly = symbol.declarations?.some(ts.isTypeOnlyExportDeclaration) ?? false;
  return isTypeOnly || (target.flags & ts.SymbolFlags.Value) === 0 ? 'type ' : 'value';
}
