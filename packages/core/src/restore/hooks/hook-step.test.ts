import { expect, it } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { hookStepOf } from './hook-step.ts';

const running = { state: { running: {} }, ready: false };
const ready = { state: { running: {} }, ready: true };
const waiting = { state: { waiting: { reason: 'ContainerCreating' } } };
const terminated = { state: { terminated: { exitCode: 0 } } };

interface Case {
  readonly phase?: string;
  readonly containers?: Readonly<Record<string, JsonObject>>;
  readonly initContainers?: Readonly<Record<string, JsonObject>>;
  readonly restartPolicy?: string;
  readonly waitForReady?: boolean;
}

it.each<[string, Case, string]>([
  ['a pod without a status', {}, 'wait'],
  ['a container that waits', { containers: { db: waiting } }, 'wait'],
  ['a container that runs', { containers: { db: running } }, 'run'],
  ['another that runs', { containers: { web: running } }, 'wait'],
  ['one that runs and is not ready', { containers: { db: running }, waitForReady: true }, 'wait'],
  ['one that is ready', { containers: { db: ready }, waitForReady: true }, 'run'],
  ['a sidecar that runs', { initContainers: { db: running } }, 'run'],
  [
    'a container that restarts',
    { containers: { db: terminated }, restartPolicy: 'Always' },
    'wait',
  ],
  ['one that has ended', { containers: { db: terminated }, restartPolicy: 'Never' }, 'never'],
  ['a pod that has failed', { phase: 'Failed', containers: { db: running } }, 'never'],
  ['a pod that has succeeded', { phase: 'Succeeded' }, 'never'],
])(
  '%s',
  (_, { phase, containers = {}, initContainers = {}, restartPolicy, waitForReady }, kind) => {
    const statuses = (of: Readonly<Record<string, JsonObject>>): JsonObject[] =>
      Object.entries(of).map(([name, status]) => ({ name, ...status }));
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'db' },
      spec: {
        containers: Object.keys(initContainers).length > 0 ? [] : [{ name: 'db' }],
        initContainers: Object.keys(initContainers).map((name) => ({ name })),
        ...(restartPolicy === undefined ? {} : { restartPolicy }),
      },
      status: {
        ...(phase === undefined ? {} : { phase }),
        containerStatuses: statuses(containers),
        initContainerStatuses: statuses(initContainers),
      },
    };
    const step = hookStepOf({ pod, containerName: 'db', waitForReady: waitForReady === true });
    expect(step.kind).toBe(kind);
  },
);

it('a container that the pod does not have is for the runner to refuse', () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db' },
    spec: { containers: [{ name: 'db' }] },
  };
  expect(hookStepOf({ pod, containerName: 'gone', waitForReady: false }).kind).toBe('run');
});
