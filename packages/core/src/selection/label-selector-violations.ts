import { messageOf, type Violation } from '../errors.ts';
import { isJsonArray, isJsonObject, type JsonValue } from '../model/json.ts';
import { formatLabelSelector, parseLabelSelector } from '../model/label-selector.ts';
import { isRequirement, readLabelSelector } from './label-selectors-of.ts';

/** Finds what is wrong with a label selector, whose place in the request is `path`. */
export function labelSelectorViolations(path: string, selector: JsonValue): readonly Violation[] {
  if (!isJsonObject(selector)) {
    return [{ path, rule: 'must be a label selector', received: selector }];
  }
  const { matchLabels, matchExpressions, ...others } = selector;
  const violations = [
    ...Object.keys(others).map((field) => ({
      path: `${path}.${field}`,
      rule: 'is not a field of a label selector',
    })),
    ...matchLabelsViolations(`${path}.matchLabels`, matchLabels),
    ...expressionViolations(`${path}.matchExpressions`, matchExpressions),
  ];
  if (violations.length > 0) {
    return violations;
  }
  try {
    // A key or value that the API server refuses would fail every list of the backup.
    parseLabelSelector(formatLabelSelector(readLabelSelector(selector) ?? {}));
    return [];
  } catch (error) {
    return [{ path, rule: `must be a label selector: ${messageOf(error)}`, received: selector }];
  }
}

function matchLabelsViolations(path: string, labels: JsonValue | undefined): readonly Violation[] {
  const isMap =
    isJsonObject(labels) && Object.values(labels).every((value) => typeof value === 'string');
  return labels === undefined || labels === null || isMap
    ? []
    : [{ path, rule: 'must be a map of labels to values', received: labels }];
}

function expressionViolations(
  path: string,
  expressions: JsonValue | undefined,
): readonly Violation[] {
  if (expressions === undefined || expressions === null) {
    return [];
  }
  if (!isJsonArray(expressions)) {
    return [{ path, rule: 'must be a list of requirements', received: expressions }];
  }
  return expressions.flatMap((expression, index): readonly Violation[] =>
    isJsonObject(expression) && isRequirement(expression)
      ? []
      : [
          {
            path: `${path}[${index}]`,
            rule: 'must have a key, an operator (In, NotIn, Exists, DoesNotExist) and, for In and NotIn alone, values',
            received: expression,
          },
        ],
  );
}
