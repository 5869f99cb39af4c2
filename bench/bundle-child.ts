import { join } from 'node:path';
import { build } from 'tsup';

/**
 * Makes one JavaScript file of a child process, as an application is deployed: what turns TypeScript into JavaScript while it is loaded
 * would count into its memory. Resolves with its path.
 */
export async function bundleChild(
  name: 'measure-objects' | 'measure-restore' | 'measure-engine' | 'measure-bare',
): Promise<string> {
  const outDir = join(import.meta.dirname, '../node_modules/.cache/lifeboat-bench');
  await build({
    ...{ entry: [join(import.meta.dirname, `${name}.ts`)], outDir, config: false, clean: false },
    ...{ format: 'esm', target: 'node22', platform: 'node', silent: true, splitting: false },
    noExternal: [/.*/],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    outExtension: () => ({ js: '.mjs' }),
    esbuildOptions: (options) => {
      options.conditions = ['lifeboat-source'];
    },
  });
  return join(outDir, `${name}.mjs`);
}
