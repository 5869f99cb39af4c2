import { execFile } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/**
 * Runs a program to its end and returns what it wrote to standard output.
 *
 * - The program sees nothing of the workspace that started it: no NODE_PATH, no settings a package manager exports.
 * - `node`, `npm` and `npx` on its PATH run on the Node that runs this.
 * - Fails with both outputs in the message when the program exits with another code than 0.
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: { readonly directory: string },
): Promise<string> {
  try {
    const { stdout } = await execFileAsync(program, [...args], {
      cwd: options.directory,
      env: outsideEnvironment(),
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(
      `${program} ${args.join(' ')} failed in ${options.directory}\n${stdout}${stderr}`,
      {
        cause: error,
      },
    );
  }
}

function outsideEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(npm_(?!config_registry$)|pnpm_|NODE_PATH$|NODE_OPTIONS$|VITEST|INIT_CWD$)/i;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const path = [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
  return { ...Object.fromEntries(kept), PATH: path };
}
