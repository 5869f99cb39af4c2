import type { Violation } from '../errors.ts';
import { isJsonObject, type JsonValue } from '../model/json.ts';
import { arrayAt } from '../model/object-path.ts';
import { objectRule } from '../selection/field-rules.ts';
import { filterListViolations } from '../selection/filter-list-violations.ts';
import { neverRestoredStatuses } from './restored-status.ts';

const path = 'spec.restoreStatus';
const lists = { included: 'includedResources', excluded: 'excludedResources' };

// Their lists are checked as a pair.
const fieldsRule = objectRule('the selection of statuses: includedResources, excludedResources', {
  includedResources: () => [],
  excludedResources: () => [],
});

/** Finds everything that is wrong with `spec.restoreStatus`. */
export function restoreStatusViolations(value: JsonValue | undefined): readonly Violation[] {
  if (value === undefined || value === null) {
    return [];
  }
  const shape = fieldsRule(path, value);
  if (!isJsonObject(value)) {
    return shape;
  }
  const named = arrayAt(value, ['includedResources']).filter(
    (name) => typeof name === 'string' && neverRestoredStatuses.includes(name.toLowerCase()),
  );
  return [
    ...shape,
    ...filterListViolations(value, lists, 'resources').map((violation) => ({
      ...violation,
      path: violation.path.replace(/^spec(?=\.)/, () => path),
    })),
    ...named.map((received) => ({
      path: `${path}.includedResources`,
      rule: 'must not name a resource whose status says what the cluster itself has done',
      received,
    })),
  ];
}
