import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packPackages } from './pack-packages.ts';
import { runCommand } from './run-command.ts';

const directory = await mkdtemp(join(tmpdir(), 'lifeboat-check-'));
const binaries = join(import.meta.dirname, '../../node_modules/.bin');
try {
  for (const { name, tarball } of await packPackages(directory)) {
    await runCommand(join(binaries, 'publint'), ['run', tarball, '--strict'], { directory });
    await runCommand(join(binaries, 'attw'), [tarball, '--profile', 'esm-only'], { directory });
    console.log(`${name}: publint and attw have nothing to say`);
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
