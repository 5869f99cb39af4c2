import type { BackupSpec, LabelSelector, LabelSelectorRequirement } from '../model/backup.ts';
import type { JsonObject } from '../model/json.ts';
import { arrayAt, objectAt, objectsAt, stringAt } from '../model/object-path.ts';

/**
 * Reads `labelSelector` or `orLabelSelectors` of a valid spec: an object is selected when it matches one of them, and any is
 * when there are none. Velero turns an empty selector into one that fails every list; here it means what it says, and one
 * among several selects everything.
 */
export function labelSelectorsOf(spec: BackupSpec): readonly LabelSelector[] {
  const single = objectAt(spec, ['labelSelector']);
  const selectors = (single === undefined ? objectsAt(spec, ['orLabelSelectors']) : [single]).map(
    readLabelSelector,
  );
  return selectors.every((selector) => selector !== undefined) ? selectors : [];
}

/** Reads a valid label selector; `undefined` when it selects everything. */
export function readLabelSelector(selector: JsonObject): LabelSelector | undefined {
  const matchLabels = Object.entries(objectAt(selector, ['matchLabels']) ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const matchExpressions = objectsAt(selector, ['matchExpressions']).filter(isRequirement);
  return matchLabels.length + matchExpressions.length === 0
    ? undefined
    : { matchLabels: Object.fromEntries(matchLabels), matchExpressions };
}

/** Whether a JSON object is a requirement of a label selector, with values exactly where its operator takes them. */
export function isRequirement(value: JsonObject): value is LabelSelectorRequirement {
  const operator = stringAt(value, ['operator']);
  const values = arrayAt(value, ['values']);
  if (!stringAt(value, ['key']) || !values.every((one) => typeof one === 'string')) {
    return false;
  }
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0;
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0;
    default:
      return false;
  }
}
