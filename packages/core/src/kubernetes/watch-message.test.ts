import { describe, expect, it } from 'vitest';
import { watchMessage } from './watch-message.ts';

const subject = { operation: 'Cluster.watch', target: 'configmaps in shop' };
const object = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', resourceVersion: '7' },
};

describe('watchMessage', () => {
  it.each([
    ['ADDED', 'added'],
    ['MODIFIED', 'modified'],
    ['DELETED', 'deleted'],
  ] as const)('%s is the event %s', (type, event) => {
    expect(watchMessage(subject, { type, object })).toEqual({
      type: 'event',
      event: { type: event, object },
      resourceVersion: '7',
    });
  });

  it('a bookmark carries a version only', () => {
    const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } };
    expect(watchMessage(subject, bookmark)).toEqual({ type: 'bookmark', resourceVersion: '9' });
  });

  it('an error carries the Status', () => {
    const status = { kind: 'Status', code: 410, reason: 'Expired' };
    expect(watchMessage(subject, { type: 'ERROR', object: status })).toEqual({
      type: 'error',
      refusal: { httpStatus: 410, body: status },
    });
  });

  it.each([
    [1],
    [{ type: 'NOVEL', object }],
    [{ type: 'ADDED' }],
    [{ type: 'ADDED', object: { kind: 'X' } }],
  ])('what the API does not have is an error: %j', (line) => {
    expect(() => watchMessage(subject, line)).toThrow(/configmaps in shop/);
  });
});
