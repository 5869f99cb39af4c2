import { describe, expect, it } from 'vitest';
import { parseArchivedObject } from './archived-object.ts';

const entry = { groupResource: 'deployments.apps', namespace: 'shop', name: 'web' };
const object = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
};

function parse(value: unknown): ReturnType<typeof parseArchivedObject> {
  return parseArchivedObject(entry, Buffer.from(JSON.stringify(value)));
}

describe('parseArchivedObject', () => {
  it('returns the object that its path promises, numbers and hostile keys unchanged', () => {
    const text =
      '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"big":9007199254740993,"__proto__":{"polluted":true}}}';
    const { object: parsed } = parseArchivedObject(entry, Buffer.from(text));
    expect(JSON.stringify(parsed)).toBe(text);
    expect({}).not.toHaveProperty('polluted');
  });

  const refused: readonly [what: string, value: unknown, problem: string][] = [
    ['a list', [object], 'it is not an object with apiVersion, kind and metadata.name'],
    ['no kind', { ...object, kind: '' }, 'it is not an object with'],
    [
      'labels that are no strings',
      { ...object, metadata: { ...object.metadata, labels: { a: 1 } } },
      'it is not an object with',
    ],
    [
      'another name',
      { ...object, metadata: { name: 'x', namespace: 'shop' } },
      'its name is "x", its path says "web"',
    ],
    [
      'another namespace',
      { ...object, metadata: { name: 'web', namespace: 'kube-system' } },
      'its namespace is "kube-system", its path says "shop"',
    ],
    [
      'no namespace',
      { ...object, metadata: { name: 'web' } },
      'its namespace is not set, its path says "shop"',
    ],
    [
      'another group',
      { ...object, apiVersion: 'rbac.authorization.k8s.io/v1' },
      'its path says deployments.apps',
    ],
  ];

  it.each(refused)('refuses %s', (_what, value, problem) => {
    expect(parse(value).problem).toContain(problem);
  });

  it('refuses bytes that are not JSON or not UTF-8', () => {
    expect(parseArchivedObject(entry, Buffer.from('{')).problem).toBe('it is not JSON');
    expect(parseArchivedObject(entry, Buffer.from([0x22, 0xff, 0x22])).problem).toContain(
      'not JSON',
    );
  });
});
