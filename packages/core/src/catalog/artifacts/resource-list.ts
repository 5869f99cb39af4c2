import { escapeHtml } from '../../model/json.ts';
import { GzipParts } from '../gzip-parts.ts';

/**
 * The resource list of a backup or restore, as a file: `<apiVersion>/<Kind>` → names (`<namespace>/<name>`, or `<name>` of a
 * cluster-scoped object), both sorted. In a restore's list each name is followed by its outcome: `shop/web(created)`.
 *
 * Names that come in order, as they do from most lists, are taken one at a time; the others of a kind are in memory together.
 */
export async function resourceListFile(
  names: Iterable<readonly [kind: string, names: Iterable<string>]>,
): Promise<Uint8Array> {
  const file = new GzipParts();
  const kinds = [...names].sort(([left], [right]) => (left < right ? -1 : 1));
  file.write('{');
  for (const [index, [kind, list]] of kinds.entries()) {
    file.write(`${index === 0 ? '' : ','}${encode(kind)}:[`);
    let separator = '';
    for (const name of sorted(list)) {
      file.write(`${separator}${encode(name)}`);
      separator = ',';
    }
    file.write(']');
  }
  file.write('}\n');
  return file.end();
}

function encode(text: string): string {
  return escapeHtml(JSON.stringify(text));
}

function sorted(names: Iterable<string>): Iterable<string> {
  let last = '';
  for (const name of names) {
    if (name < last) {
      return [...names].sort();
    }
    last = name;
  }
  return names;
}
