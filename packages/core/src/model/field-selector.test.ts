import { expect, it } from 'vitest';
import { matchesFieldSelector, parseFieldSelector } from './field-selector.ts';

const pod = {
  metadata: { name: 'web-0', namespace: 'shop', annotations: { note: 'a,b=c\\' } },
  spec: { hostNetwork: true, priority: 5 },
  status: { phase: 'Running' },
};

it.each([
  ['', true],
  ['metadata.name=web-0', true],
  ['metadata.name==web-0', true],
  ['metadata.name=web-1', false],
  ['metadata.name!=web-1', true],
  ['metadata.name=web-0,metadata.namespace=shop', true],
  ['metadata.name=web-0,metadata.namespace!=shop', false],
  ['status.phase!=Running', false],
  ['spec.nodeName=', true],
  ['spec.nodeName!=', false],
  ['spec.hostNetwork=true', true],
  ['spec.priority=5', true],
  ['metadata=', true],
  ['metadata.annotations.note=a\\,b\\=c\\\\', true],
  ['metadata.annotations.note=a\\,b\\=c\\\\,metadata.name=other', false],
])('finds that the pod matches %j: %s', (selector, expected) => {
  expect(matchesFieldSelector(pod, selector)).toBe(expected);
});

it.each(['metadata.name', '=x', 'metadata.name=a=b', 'metadata.name=a,', ',', 'a=b,,c=d', 'a=\\x'])(
  'refuses %j',
  (text) => {
    expect(() => parseFieldSelector(text)).toThrow(SyntaxError);
  },
);
