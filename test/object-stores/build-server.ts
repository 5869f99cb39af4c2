import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { cachedFolder } from './cached-folder.ts';

const progressEveryMs = 20_000;

/** This machine lacks something that its user can install; the message says what. */
export class MissingPrerequisiteError extends Error {
  override readonly name = 'MissingPrerequisiteError';
}

/** A command of a Go module: `github.com/owner/name/cmd/name`. */
export interface GoCommand {
  readonly name: string;
  readonly packagePath: string;
  readonly version: string;
}

/**
 * Builds a command of a Go module into the cache, unless it is there, and returns its path.
 *
 * @throws {MissingPrerequisiteError} when there is no Go.
 */
export async function buildGoCommand(
  { name, packagePath, version }: GoCommand,
  report: (line: string) => void,
): Promise<string> {
  const go = await goVersion(`the object store ${name}`);
  const folder = await cachedFolder(
    `${name}-${version}-${go}`,
    (path) =>
      run('go', ['install', `${packagePath}@${version}`], report, {
        environment: { ...goEnvironment(), GOBIN: path },
      }),
    report,
  );
  return join(folder, name);
}

/**
 * Installs a package of the npm registry into the cache, unless it is there, and returns the folder of its `node_modules`. It is
 * no dependency of the workspace, because it is larger than all of them together.
 */
export async function installNpmPackage(
  name: string,
  version: string,
  report: (line: string) => void,
): Promise<string> {
  const folder = await cachedFolder(
    `${name}-${version}`,
    (path) =>
      run(
        'npm',
        ['install', '--prefix', path, '--no-audit', '--no-fund', `${name}@${version}`],
        report,
      ),
    report,
  );
  return join(folder, 'node_modules');
}

/**
 * Returns the version of Go and what it builds for: `go1.26.8-linux-amd64`.
 *
 * @throws {MissingPrerequisiteError} when there is no Go.
 */
export async function goVersion(built: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH']);
    return stdout.trim().split(/\s+/).join('-');
  } catch (error) {
    throw new MissingPrerequisiteError(
      `${built} is built with Go 1.26 or newer, and there is no \`go\` (https://go.dev/dl)`,
      { cause: error },
    );
  }
}

/** What Go builds commands with that run on any machine like this one. */
export function goEnvironment(): Readonly<Record<string, string>> {
  return { CGO_ENABLED: '0', GOFLAGS: `-buildvcs=false ${process.env['GOFLAGS'] ?? ''}` };
}

/** Where {@link run} runs a command. */
export interface RunOptions {
  /** Beside the variables of this process. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** @default that of this process */
  readonly directory?: string | undefined;
}

/** Runs a command that may take minutes, with low priority, and reports that it is still at it. */
export async function run(
  command: string,
  args: readonly string[],
  report: (line: string) => void,
  { environment = {}, directory }: RunOptions = {},
): Promise<void> {
  const what = `${command} ${args.join(' ')}`;
  report(what);
  const started = performance.now();
  const seconds = (): string => `${Math.round((performance.now() - started) / 1000)} s`;
  const child = spawn('nice', [command, ...args], {
    env: { ...process.env, ...environment },
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', (line) => said.push(line));
  }
  const timer = setInterval(() => report(`  still at it after ${seconds()}`), progressEveryMs);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${what} failed:\n${said.slice(-20).join('\n')}`);
    report(`  done after ${seconds()}`);
  } finally {
    clearInterval(timer);
  }
}
