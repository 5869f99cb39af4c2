import { mkdir, writeFile } from 'node:fs/promises';
import { runCommand } from './run-command.ts';

/** Creates an application in `directory`, which must not exist, and installs packages into it as a user would. */
export async function createApplication(
  directory: string,
  type: 'module' | 'commonjs',
  packages: readonly string[],
): Promise<void> {
  await mkdir(directory);
  const manifest = { name: 'application', version: '1.0.0', private: true, type };
  await writeFile(`${directory}/package.json`, JSON.stringify(manifest));
  await runCommand(
    'npm',
    ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', ...packages],
    { directory },
  );
}
