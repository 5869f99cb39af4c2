import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../model/json.ts';
import { customResourceViolations, pruneCustomResource } from './custom-resource-rules.ts';

const schema: JsonObject = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer' },
        mode: { type: 'string', enum: ['fast', 'safe'], default: 'safe' },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        parts: { type: 'array', items: { type: 'object', properties: { name: {} } } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
  },
};
const envelope = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'a', x: 1 } };

describe('pruneCustomResource', () => {
  it.each<[string, JsonObject, JsonObject]>([
    [
      'an unknown field',
      { spec: { size: 1, mode: 'fast', extra: 1 } },
      { spec: { size: 1, mode: 'fast' } },
    ],
    [
      'an unknown field of the root',
      { spec: { mode: 'fast' }, extra: 1 },
      { spec: { mode: 'fast' } },
    ],
    [
      'an unknown field in a list',
      { spec: { mode: 'fast', parts: [{ name: 'a', extra: 1 }] } },
      { spec: { mode: 'fast', parts: [{ name: 'a' }] } },
    ],
  ])('drops %s', (_name, given, expected) => {
    expect(pruneCustomResource({ ...envelope, ...given }, schema)).toEqual({
      ...envelope,
      ...expected,
    });
  });

  it('keeps free-form objects, maps and metadata, and sets defaults', () => {
    const spec = { labels: { any: 'x' }, free: { a: { b: [1] } } };
    expect(pruneCustomResource({ ...envelope, spec }, schema)).toEqual({
      ...envelope,
      spec: { ...spec, mode: 'safe' },
    });
  });
});

describe('customResourceViolations', () => {
  it.each<[JsonObject, readonly string[]]>([
    [{ spec: { size: 1, mode: 'fast' } }, []],
    [{ spec: { mode: 'fast' } }, ['spec.size']],
    [{ spec: { size: 1, mode: 'slow' } }, ['spec.mode']],
    [{}, []],
  ])('of %j are %j', (fields, expected) => {
    const violations = customResourceViolations({ ...envelope, ...fields }, schema);
    expect(violations.map(({ field }) => field)).toEqual(expected);
  });
});
