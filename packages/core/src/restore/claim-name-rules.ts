import type { Violation } from '../errors.ts';
import { isJsonObject, type JsonValue } from '../model/json.ts';
import { isDnsLabel, isDnsSubdomain } from '../model/kubernetes-name.ts';

const path = 'options.claimNameMapping';

/** Finds everything that is wrong with a mapping of the names of claims. */
export function claimNameViolations(mapping: JsonValue | undefined): readonly Violation[] {
  if (mapping === undefined) {
    return [];
  }
  if (!isJsonObject(mapping)) {
    return [{ path, rule: 'must map claims to names', received: mapping }];
  }
  const takenBy = new Map<string, string>();
  return Object.entries(mapping).flatMap(([source, target]): readonly Violation[] => {
    const place = `${path}[${JSON.stringify(source)}]`;
    const [namespace = '', name = '', ...more] = source.split('/');
    if (!isDnsLabel(namespace) || !isDnsSubdomain(name) || more.length > 0) {
      return [{ path: place, rule: 'must name a claim as <namespace>/<name>', received: source }];
    }
    if (typeof target !== 'string' || !isDnsSubdomain(target)) {
      return [
        { path: place, rule: 'must be the new name, a DNS-1123 subdomain', received: target },
      ];
    }
    const key = `${namespace}/${target}`;
    const other = takenBy.get(key);
    takenBy.set(key, source);
    return other === undefined
      ? []
      : [{ path: place, rule: `must not be the name that ${other} gets`, received: target }];
  });
}
