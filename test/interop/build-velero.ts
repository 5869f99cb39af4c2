import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goEnvironment, goVersion, run } from '../object-stores/build-server.ts';
import { cachedFolder, veleroCachePath } from '../object-stores/cached-folder.ts';

/** Velero as it was built here. */
export interface VeleroBinaries {
  /** The command, which is server and client. */
  readonly commandPath: string;
  /** Folder with the plugin for S3 and nothing else. */
  readonly pluginFolder: string;
  /** As the server tells it: `v1.18.3`. */
  readonly version: string;
}

const velero = 'github.com/vmware-tanzu/velero';
const plugin = 'github.com/vmware-tanzu/velero-plugin-for-aws';
const moduleFolder = join(import.meta.dirname, 'velero');
// The manager of Velero's controllers serves metrics of its own on a port that no flag changes; `0` is none. So servers may run side
// by side, whatever else this machine runs.
const noSecondMetrics = '-X sigs.k8s.io/controller-runtime/pkg/metrics/server.DefaultBindAddress=0';

/**
 * Builds Velero and its plugin for S3 into the cache, unless they are there: 2 minutes each on 2 cores.
 *
 * @throws {MissingPrerequisiteError} when there is no Go.
 */
export async function buildVelero(report: (line: string) => void): Promise<VeleroBinaries> {
  const go = await goVersion('Velero');
  const version = await requiredVersion();
  const ldflags = `-s -w ${noSecondMetrics} -X ${velero}/pkg/buildinfo.Version=${version}`;
  const build = (folder: string, packagePath: string, output: string): Promise<void> =>
    run('go', ['build', '-o', output, '-ldflags', ldflags, packagePath], report, {
      environment: goEnvironment(),
      directory: folder,
    });
  const digest = await digestOf([go, ldflags]);
  const folder = await cachedFolder(
    `velero-${digest}`,
    async (path) => {
      await build(moduleFolder, `${velero}/cmd/velero`, join(path, 'velero'));
      await build(
        join(moduleFolder, 'plugin'),
        `${plugin}/velero-plugin-for-aws`,
        join(path, 'plugins/velero-plugin-for-aws'),
      );
    },
    report,
    veleroCachePath,
  );
  return { commandPath: join(folder, 'velero'), pluginFolder: join(folder, 'plugins'), version };
}

async function requiredVersion(): Promise<string> {
  const text = await readFile(join(moduleFolder, 'go.mod'), 'utf8');
  const [, version] = /^require \S+ (v\S+)$/m.exec(text) ?? [];
  if (version === undefined) throw new Error('velero/go.mod requires no version of Velero');
  return version;
}

async function digestOf(texts: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text}\n`);
  for (const file of ['go.mod', 'go.sum', 'plugin/go.mod', 'plugin/go.sum']) {
    hash.update(await readFile(join(moduleFolder, file)));
  }
  return hash.digest('hex').slice(0, 16);
}
