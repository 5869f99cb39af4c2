import { describe, expect, it } from 'vitest';
import { parseYaml } from './parse-yaml.ts';

function refusal(text: string): string | undefined {
  return parseYaml('p', text).violations?.map(({ path, rule }) => `${path} ${rule}`)[0];
}

describe('parseYaml', () => {
  it('reads what it is given, and checks none of it', () => {
    const text =
      '# ours\nversion: v2\nvolumePolicies:\n- conditions: {nfs: {}, csi: }\n  extra: [1]\n';
    expect(parseYaml('p', text)).toEqual({
      value: {
        version: 'v2',
        volumePolicies: [{ conditions: { nfs: {}, csi: null }, extra: [1] }],
      },
    });
  });

  it('resolves aliases, and takes __proto__ for a key', () => {
    const parsed = parseYaml('p', 'a: &a [x]\nb: *a\n__proto__: {c: d}\n');
    expect(JSON.stringify(parsed)).toBe('{"value":{"a":["x"],"b":["x"],"__proto__":{"c":"d"}}}');
  });

  it('takes an empty text for null', () => {
    expect(parseYaml('p', '')).toEqual({ value: null });
  });

  it.each<[string, string, RegExp]>([
    ['broken YAML', 'version: [v1', /^p must be YAML: .*line 1/],
    [
      'a second document',
      'version: v1\n---\nversion: v1\n',
      /^p must be YAML: .*documents.* at line 2, column 1/,
    ],
    ['a key twice', 'version: v1\nvolumePolicies: []\nversion: v1\n', /"version" is repeated/],
    ['a key twice further down', 'a:\n- b: {c: 1, d: 2, c: 3}\n', /"c" is repeated/],
    ['a tag', 'version: !!js/function "v1"\n', /^p must be YAML: .*tag/],
    ['an alias of nothing', 'version: *v\n', /^p must be YAML: .*alias/i],
    ['a list that holds itself', 'a: &a [*a]\n', /^p must be YAML/],
    ['text without end', 'x'.repeat(131_073), /longer than 131072/],
    ['a deep nest', '['.repeat(10_000), /^p must be YAML/],
  ])('refuses %s', (_what, text, expected) => {
    expect(refusal(text)).toMatch(expected);
  });

  it('refuses a text that multiplies itself', () => {
    const level = (name: string, of: string): string =>
      `${name}: &${name} [${Array.from({ length: 9 }, () => of).join(', ')}]`;
    const names = [...'abcdefghi'];
    const bomb = names.map((name, index) =>
      level(name, index === 0 ? 'x' : `*${names[index - 1]}`),
    );
    expect(refusal(bomb.join('\n'))).toMatch(/alias/);
  });

  it('is soon through with very many faults', { timeout: 60_000 }, () => {
    expect(refusal('"" '.repeat(20_000))).toMatch(/^p must be YAML/);
  });

  it('reads a map of very many keys', { timeout: 60_000 }, () => {
    const text = `{${Array.from({ length: 10_000 }, (_, index) => `k${index}: 1`).join(', ')}}`;
    const { value } = { value: undefined, ...parseYaml('p', text) };
    expect(Object.keys(value ?? {})).toHaveLength(10_000);
  });
});
