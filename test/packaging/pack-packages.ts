import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

const root = join(import.meta.dirname, '../..');
const pnpm = ['-y', 'pnpm@10.34.8'];

/** A package as it would be published. */
export interface PackedPackage {
  readonly name: string;
  readonly tarball: string;
}

/** Builds every package of the workspace. */
export async function buildPackages(): Promise<void> {
  await runCommand('npx', [...pnpm, '--recursive', 'run', 'build'], { directory: root });
}

/**
 * Packs what the last build left of every package into `directory`.
 *
 * - It is pnpm that packs, as it is pnpm that publishes: `publishConfig.exports` replaces `exports`, and
 *   `workspace:` versions become real ones.
 */
export async function packPackages(directory: string): Promise<readonly PackedPackage[]> {
  await mkdir(directory, { recursive: true });
  const packed: PackedPackage[] = [];
  for (const folder of (await readdir(join(root, 'packages'))).sort()) {
    const source = join(root, 'packages', folder);
    const manifest = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as {
      name: string;
      version: string;
    };
    const { name, version } = manifest;
    await runCommand('npx', [...pnpm, 'pack', '--pack-destination', directory], {
      directory: source,
    });
    const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
    packed.push({ name, tarball: join(directory, file) });
  }
  return packed;
}
