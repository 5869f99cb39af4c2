import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApplication } from './application.ts';
import { buildPackages, packPackages } from './pack-packages.ts';
import { runCommand } from './run-command.ts';

const here = import.meta.dirname;
const kubernetesClient = '@kubernetes/client-node@2.0.1';
const runtimes = [
  { version: 'v24', node: process.execPath },
  { version: 'v22', node: join(here, 'node_modules/node22/bin/node') },
];

let directory: string;
let tarballs: readonly string[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lifeboat-packaging-'));
  await buildPackages();
  tarballs = (await packPackages(join(directory, 'tarballs'))).map(({ tarball }) => tarball);
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe.each([
  { kind: 'an ESM application', type: 'module', program: 'consumer.mjs' },
  { kind: 'a CommonJS application', type: 'commonjs', program: 'consumer.cjs' },
] as const)('$kind with the packed packages installed', ({ type, program }) => {
  let application: string;

  beforeAll(async () => {
    application = join(directory, type);
    await createApplication(application, type, [...tarballs, kubernetesClient]);
    await cp(join(here, program), join(application, program));
    // The demo is the application's own code here. It is an ECMAScript module, whatever the application is.
    await cp(join(here, '../../examples/demo'), join(application, 'demo'), { recursive: true });
    await writeFile(join(application, 'demo/package.json'), JSON.stringify({ type: 'module' }));
  });

  it.for(runtimes)(
    'sees the public surface and runs the demo on Node $version',
    async (runtime, { skip }) => {
      const { version, node } = runtime;
      skip(!existsSync(node), `Node ${version} is installed on linux-x64 only`);
      const output: unknown = JSON.parse(
        await runCommand(node, [program], { directory: application }),
      );
      expect(output).toEqual({
        node: expect.stringMatching(`^${version}\\.`) as string,
        exports: await publicValues(),
        demo: {
          backupName: expect.stringMatching(/^demo-/) as string,
          backupPhase: 'Completed',
          restorePhase: 'Completed',
          sameData: true,
        },
      });
    },
  );
});

describe('an application without the optional peer', () => {
  it('loads the engine and the fakes, and compiles against checked declarations', async () => {
    const application = join(directory, `bare-${randomUUID()}`);
    await createApplication(application, 'module', [...tarballs, '@types/node@24.19.2']);
    await cp(join(here, 'consumer.ts'), join(application, 'consumer.ts'));
    const options = { strict: true, module: 'nodenext', target: 'es2024', types: ['node'] };
    await writeFile(
      join(application, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...options, lib: ['es2024', 'esnext.disposable'] } }),
    );
    const compiler = join(here, '../../node_modules/typescript/bin/tsc');
    await runCommand(process.execPath, [compiler], { directory: application });
    await runCommand(process.execPath, ['consumer.js'], { directory: application });
    expect(existsSync(join(application, 'node_modules/@kubernetes/client-node'))).toBe(false);
  });
});

/** Reads the committed public surface: each entry point with its values, as programs see them. */
async function publicValues(): Promise<readonly (readonly [string, readonly string[]])[]> {
  const text = await readFile(join(here, '../architecture/public-surface.txt'), 'utf8');
  return text
    .trim()
    .split('\n\n')
    .map((block) => {
      const [name = '', ...lines] = block.split('\n');
      const values = lines.filter((line) => line.startsWith('  value '));
      return [name, values.map((line) => line.slice('  value '.length)).sort()] as const;
    });
}
