import type { Violation } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { ResourceModifiers } from '../../model/resource-modifiers.ts';
import {
  type FieldRule,
  listRule,
  objectRule,
  oneOfRule,
  textRule,
} from '../../selection/field-rules.ts';
import { labelSelectorViolations } from '../../selection/label-selector-violations.ts';
import { parseYaml } from '../../selection/parse-yaml.ts';
import { readModifierValue } from './modifier-value.ts';
import { compileNamePattern } from './name-pattern.ts';

const pointerRule = textThat((text) =>
  text.startsWith('/') ? undefined : 'must be a JSON pointer, which begins with a slash',
);

const valueRule: FieldRule = (path, value) => {
  if (typeof value !== 'string') {
    return typeof value === 'number' || typeof value === 'boolean'
      ? []
      : [{ path, rule: 'must be text that stands for a value', received: value }];
  }
  const { problem } = readModifierValue(value);
  return problem === undefined ? [] : [{ path, rule: problem, received: value }];
};

const conditionsRule: FieldRule = objectRule(
  'a set of conditions',
  {
    groupResource: textThat((text) => (text === '' ? 'must not be empty' : undefined)),
    namespaces: listRule('names', textRule),
    resourceNameRegex: textThat((text) => compileNamePattern(text).problem),
    labelSelector: labelSelectorViolations,
    matches: listRule(
      'values to match',
      objectRule('a value to match', { path: pointerRule, value: valueRule }, ['path']),
    ),
  },
  ['groupResource'],
);

const operationFields: FieldRule = objectRule(
  'an operation of a JSON patch',
  {
    operation: oneOfRule('add', 'remove', 'replace', 'test', 'move', 'copy'),
    path: pointerRule,
    from: pointerRule,
    value: valueRule,
  },
  ['operation', 'path'],
);

const patchDataRule: FieldRule = objectRule('a patch', { patchData: patchDataViolations }, [
  'patchData',
]);

const patchFields: Readonly<Record<string, FieldRule>> = {
  patches: listRule('operations', operationViolations),
  mergePatches: listRule('patches', patchDataRule),
  strategicPatches: listRule('patches', patchDataRule),
};

const ruleFields: FieldRule = objectRule(
  'a rule of resource modifiers',
  { conditions: conditionsRule, ...patchFields },
  ['conditions'],
);

const modifiersRule: FieldRule = objectRule(
  'a set of resource modifiers',
  {
    version: (path, value) =>
      typeof value === 'string' && value.toLowerCase() === 'v1'
        ? []
        : [{ path, rule: 'must be "v1"', received: value }],
    resourceModifierRules: listRule('rules', ruleViolations),
  },
  ['version'],
);

/** Whether a value is a valid set of resource modifiers. */
export function isResourceModifiers(value: JsonValue): value is ResourceModifiers {
  return modifiersRule('', value).length === 0;
}

/**
 * Finds everything that is wrong with resource modifiers, whose place in the request is `path`: Velero's rules, with Velero's
 * strictness about fields that it does not know, and what Velero finds only when it applies a rule.
 */
export function resourceModifierViolations(path: string, value: JsonValue): readonly Violation[] {
  return modifiersRule(path, value);
}

function ruleViolations(path: string, value: JsonValue): readonly Violation[] {
  const kinds = Object.keys(patchFields).filter(
    (field) => isJsonObject(value) && isGiven(value, field),
  );
  return [
    ...ruleFields(path, value),
    ...(kinds.length > 1
      ? [{ path, rule: `must have patches of one kind, not ${kinds.join(' and ')}` }]
      : []),
  ];
}

function operationViolations(path: string, value: JsonValue): readonly Violation[] {
  const operation = isJsonObject(value) ? value['operation'] : undefined;
  const needsFrom = operation === 'move' || operation === 'copy';
  return [
    ...operationFields(path, value),
    ...(needsFrom && isJsonObject(value) && !isGiven(value, 'from')
      ? [{ path: `${path}.from`, rule: `is required by ${operation}` }]
      : []),
  ];
}

function patchDataViolations(path: string, value: JsonValue): readonly Violation[] {
  if (typeof value !== 'string') {
    return textRule(path, value);
  }
  const parsed = parseYaml(path, value);
  if (parsed.violations !== undefined) {
    return parsed.violations;
  }
  return isJsonObject(parsed.value)
    ? []
    : [{ path, rule: 'must be an object, in YAML or JSON', received: value }];
}

function isGiven(object: JsonObject, field: string): boolean {
  return (object[field] ?? null) !== null;
}

function textThat(problemOf: (text: string) => string | undefined): FieldRule {
  return (path, value) => {
    if (typeof value !== 'string') {
      return textRule(path, value);
    }
    const problem = problemOf(value);
    return problem === undefined ? [] : [{ path, rule: problem, received: value }];
  };
}
