import { describe, expect, it } from 'vitest';
import type { StringMap } from '../model/kubernetes.ts';
import { hookFromAnnotations } from './hook-annotations.ts';

const pre = 'pre.hook.backup.velero.io';
const post = 'post.hook.backup.velero.io';
const legacy = 'hook.backup.velero.io';

describe('hookFromAnnotations', () => {
  it('reads all four annotations of its stage', () => {
    const annotations = {
      [`${pre}/command`]: '["freeze"]',
      [`${pre}/container`]: 'db',
      [`${pre}/on-error`]: 'Continue',
      [`${pre}/timeout`]: '1m30s',
      [`${post}/command`]: 'thaw',
    };
    expect(hookFromAnnotations(annotations, 'pre')).toEqual({
      hook: {
        stage: 'pre',
        hookName: undefined,
        containerName: 'db',
        command: ['freeze'],
        onError: 'Continue',
        timeoutMs: 90_000,
      },
      problems: [],
    });
    expect(hookFromAnnotations(annotations, 'post')?.hook.command).toEqual(['thaw']);
  });

  it('waits 30 s and counts a failure as one where the annotations do not say otherwise', () => {
    expect(hookFromAnnotations({ [`${post}/command`]: 'thaw' }, 'post')?.hook).toMatchObject({
      containerName: undefined,
      onError: 'Fail',
      timeoutMs: 30_000,
    });
  });

  it.each<[string, StringMap, readonly string[] | undefined, readonly string[] | undefined]>([
    ['none at all', {}, undefined, undefined],
    ['none that names a command', { [`${pre}/container`]: 'db' }, undefined, undefined],
    ['an empty command', { [`${pre}/command`]: '' }, undefined, undefined],
    [
      'those of old versions, before the backup alone',
      { [`${legacy}/command`]: 'x' },
      ['x'],
      undefined,
    ],
    [
      'those of old versions beside new ones',
      { [`${legacy}/command`]: 'old', [`${pre}/command`]: 'new' },
      ['new'],
      undefined,
    ],
  ])('takes %s', (_what, annotations, expectedPre, expectedPost) => {
    expect(hookFromAnnotations(annotations, 'pre')?.hook.command).toEqual(expectedPre);
    expect(hookFromAnnotations(annotations, 'post')?.hook.command).toEqual(expectedPost);
  });

  it.each([
    ['timeout', 'soon', { timeoutMs: 30_000 }],
    ['timeout', '-5s', { timeoutMs: 30_000 }],
    ['timeout', '0s', { timeoutMs: 30_000 }],
    ['on-error', 'continue', { onError: 'Fail' }],
  ])('tells that %s %j means nothing, and takes the default', (field, value, expected) => {
    const annotations = { [`${pre}/command`]: 'x', [`${pre}/${field}`]: value };
    const found = hookFromAnnotations(annotations, 'pre');
    expect(found?.hook).toMatchObject(expected);
    expect(found?.problems).toEqual([expect.stringContaining(`${pre}/${field} is "${value}"`)]);
  });
});
