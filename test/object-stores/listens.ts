import { readdir, readFile, readlink } from 'node:fs/promises';

const listening = '0A';

/**
 * Whether it is this process that listens on a port of 127.0.0.1, and not another one that has taken the port. Where the kernel does
 * not tell (elsewhere than on Linux) it is taken for granted.
 */
export async function listens(pid: number, port: number): Promise<boolean> {
  const table = await readFile('/proc/net/tcp', 'utf8').catch(() => undefined);
  if (table === undefined) return true;
  const sockets = new Set(socketsOf(table, port));
  const folder = `/proc/${pid}/fd`;
  for (const name of await readdir(folder).catch(() => [])) {
    // It may be closed meanwhile.
    const target = await readlink(`${folder}/${name}`).catch(() => '');
    if (sockets.has(target)) return true;
  }
  return false;
}

/** The sockets that listen on a port, as the links of a process name them (proc(5): /proc/net/tcp). */
function socketsOf(table: string, port: number): readonly string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, address = '', , state] = fields;
    return state === listening && address.endsWith(suffix) ? [`socket:[${fields[9] ?? ''}]`] : [];
  });
}
