import type { LabelSelector, LabelSelectorRequirement } from './backup.ts';
import { compareCodePoints } from './json.ts';
import type { StringMap } from './kubernetes.ts';

const keyGrammar: RegExp =
  /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const valueGrammar: RegExp = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const existenceTerm: RegExp = /^(!?)\s*([^\s!=]+)$/;
const equalityTerm: RegExp = /^([^\s!=]+)\s*(==|=|!=)\s*([^\s!=]*)$/;
const membershipTerm: RegExp = /^([^\s!=]+)\s+(in|notin)\s*\(([^()]*)\)$/;

/**
 * Reads a label selector as `kubectl -l` takes it: `app=shop,tier in (web,db),!canary`. Empty text selects everything.
 *
 * @throws SyntaxError naming the term that is wrong. The orderings `>` and `<` are not supported.
 */
export function parseLabelSelector(text: string): LabelSelector {
  const matchLabels = new Map<string, string>();
  const matchExpressions: LabelSelectorRequirement[] = [];
  for (const term of splitTerms(text)) {
    const equality = equalityTerm.exec(term);
    if (equality !== null && equality[2] !== '!=' && !matchLabels.has(equality[1] ?? '')) {
      const [, key = '', , value = ''] = equality;
      matchLabels.set(checkedKey(key, term), checkedValue(value, term));
    } else {
      matchExpressions.push(parseRequirement(term));
    }
  }
  return {
    ...(matchLabels.size > 0 && { matchLabels: Object.fromEntries(matchLabels) }),
    ...(matchExpressions.length > 0 && { matchExpressions }),
  };
}

/**
 * Whether labels satisfy a selector; an empty selector is satisfied by any. As in Kubernetes, `!=` and `notin` are
 * satisfied when the label is missing.
 *
 * @throws SyntaxError when the selector is text that cannot be read.
 */
export function matchesLabelSelector(
  labels: StringMap | undefined,
  selector: string | LabelSelector,
): boolean {
  const { matchLabels = {}, matchExpressions = [] } =
    typeof selector === 'string' ? parseLabelSelector(selector) : selector;
  const valueOf = (key: string): string | undefined =>
    labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  return (
    Object.entries(matchLabels).every(([key, value]) => valueOf(key) === value) &&
    matchExpressions.every((requirement) => satisfies(valueOf(requirement.key), requirement))
  );
}

/** Writes a selector in the form that {@link parseLabelSelector} and the API server read, terms and values sorted. */
export function formatLabelSelector({
  matchLabels = {},
  matchExpressions = [],
}: LabelSelector): string {
  return [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(formatRequirement),
  ]
    .sort(compareCodePoints)
    .join(',');
}

function satisfies(
  value: string | undefined,
  { operator, values = [] }: LabelSelectorRequirement,
): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      // A selector read from a file can hold anything: what is not understood selects nothing.
      operator satisfies never;
      return false;
  }
}

function splitTerms(text: string): readonly string[] {
  return text.trim() === '' ? [] : text.split(/,(?![^()]*\))/).map((term) => term.trim());
}

function parseRequirement(term: string): LabelSelectorRequirement {
  const existence = existenceTerm.exec(term);
  if (existence !== null) {
    const [, not, key = ''] = existence;
    return { key: checkedKey(key, term), operator: not === '' ? 'Exists' : 'DoesNotExist' };
  }
  const equality = equalityTerm.exec(term);
  if (equality !== null) {
    const [, key = '', comparison, value = ''] = equality;
    return {
      key: checkedKey(key, term),
      operator: comparison === '!=' ? 'NotIn' : 'In',
      values: [checkedValue(value, term)],
    };
  }
  const membership = membershipTerm.exec(term);
  if (membership !== null) {
    const [, key = '', operator, values = ''] = membership;
    return {
      key: checkedKey(key, term),
      operator: operator === 'in' ? 'In' : 'NotIn',
      values: values.split(',').map((value) => checkedValue(value.trim(), term)),
    };
  }
  throw new SyntaxError(
    `label selector: ${JSON.stringify(term)} is not a requirement; write key, !key, key=value, key!=value, key in (a,b) or key notin (a,b)`,
  );
}

function formatRequirement({ key, operator, values = [] }: LabelSelectorRequirement): string {
  const list = [...values].sort(compareCodePoints).join(',');
  switch (operator) {
    case 'In':
      return `${key} in (${list})`;
    case 'NotIn':
      return `${key} notin (${list})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
  }
}

function checkedKey(key: string, term: string): string {
  if (!keyGrammar.test(key)) {
    throw new SyntaxError(
      `label selector: ${JSON.stringify(key)} in ${JSON.stringify(term)} is not a label key`,
    );
  }
  return key;
}

function checkedValue(value: string, term: string): string {
  if (!valueGrammar.test(value)) {
    throw new SyntaxError(
      `label selector: ${JSON.stringify(value)} in ${JSON.stringify(term)} is not a label value`,
    );
  }
  return value;
}
