import { expect, it } from 'vitest';
import type { StringMap } from '../../model/kubernetes.ts';
import { execHookFromAnnotations } from './exec-hook-annotations.ts';
import type { WaitingHook } from './waiting-hook.ts';

const prefix = 'post.hook.restore.velero.io';
const defaults: WaitingHook = {
  stage: 'post',
  hookName: undefined,
  containerName: undefined,
  command: ['load'],
  onError: 'Fail',
  timeoutMs: 30_000,
  waitTimeoutMs: undefined,
  waitForReady: false,
};

function annotations(fields: StringMap): StringMap {
  return Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [`${prefix}/${field}`, value]),
  );
}

it.each<[StringMap, Partial<WaitingHook>]>([
  [{ command: 'load' }, {}],
  [{ command: '["sh", "-c", "load"]' }, { command: ['sh', '-c', 'load'] }],
  [{ command: 'load', container: 'db' }, { containerName: 'db' }],
  [{ command: 'load', 'on-error': 'Continue' }, { onError: 'Continue' }],
  [{ command: 'load', 'on-error': 'Fail' }, {}],
  [{ command: 'load', 'exec-timeout': '90s' }, { timeoutMs: 90_000 }],
  [{ command: 'load', 'exec-timeout': '0' }, {}],
  [{ command: 'load', 'wait-timeout': '5m' }, { waitTimeoutMs: 300_000 }],
  [{ command: 'load', 'wait-timeout': '0s' }, {}],
  [{ command: 'load', 'wait-for-ready': 'true' }, { waitForReady: true }],
  [{ command: 'load', 'wait-for-ready': '0' }, {}],
])('reads %j', (fields, hook) => {
  expect(execHookFromAnnotations(annotations(fields))).toEqual({
    hook: { ...defaults, ...hook },
    problems: [],
  });
});

it.each<[StringMap]>([[{}], [{ command: '' }], [{ container: 'db', 'on-error': 'Fail' }]])(
  'finds no hook in %j',
  (fields) => {
    expect(execHookFromAnnotations(annotations(fields))).toBeUndefined();
  },
);

it('tells of each annotation that it does not understand, and what counts instead', () => {
  const found = execHookFromAnnotations(
    annotations({
      command: 'load',
      'on-error': 'ignore',
      'exec-timeout': '10',
      'wait-timeout': '-5s',
      'wait-for-ready': 'yes',
    }),
  );
  expect(found?.hook).toEqual(defaults);
  expect(found?.problems).toEqual([
    `annotation ${prefix}/exec-timeout is "10", which means nothing; the hook may take 30 s`,
    `annotation ${prefix}/wait-timeout is "-5s", which means nothing; the hook has no limit of its own`,
    `annotation ${prefix}/on-error is "ignore", which means nothing; the hook counts as "Fail"`,
    `annotation ${prefix}/wait-for-ready is "yes", which means nothing; the hook waits until the container is running`,
  ]);
});
