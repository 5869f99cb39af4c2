import { describe, expect, it } from 'vitest';
import { silentLogger } from '../internal/silent-logger.ts';
import type { ItemOperationEvent } from '../model/event.ts';
import type { Issue } from '../model/issue.ts';
import { Resources } from '../model/resources.ts';
import type { Logger } from '../ports/logger.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { ItemOperations } from './item-operations.ts';
import {
  backupOperationEntry,
  type EndedOperation,
  restoreOperationEntry,
} from './operation-entry.ts';
import { ScriptedOperation } from './scripted-operation-fixture.ts';

const origin = {
  reference: { ...Resources.persistentVolumeClaims, namespace: 'shop', name: 'data' },
  action: 'example.com/copy',
};
const inProgress = { state: 'InProgress' } as const;
const completed = { state: 'Completed' } as const;
const minuteMs = 60_000;

class Lab {
  readonly clock = new ManualClock();
  readonly abort = new AbortController();
  readonly events: ItemOperationEvent[] = [];
  readonly warnings: string[] = [];
  readonly errors: Omit<Issue, 'severity'>[] = [];
  readonly ended: EndedOperation[] = [];
  readonly operations: ItemOperations;

  constructor(timeout?: string) {
    const logger: Logger = { ...silentLogger, warn: (message) => this.warnings.push(message) };
    this.operations = new ItemOperations({
      ...{ timeout, clock: this.clock, logger, pollIntervalMs: 10_000 },
      onEvent: (event) => this.events.push(event),
      onFailed: (error) => this.errors.push(error),
      onEnded: (operation) => this.ended.push(operation),
      signal: this.abort.signal,
    });
  }

  /** Begins operations and lets each be asked for the first time. */
  async begin(...operations: readonly ScriptedOperation[]): Promise<void> {
    for (const operation of operations) {
      this.operations.begin(operation, origin);
    }
    await this.clock.advance(0);
  }

  get states(): readonly string[] {
    return this.events.map(({ state, message = '' }) => `${state} ${message}`.trim());
  }

  get entries(): unknown {
    return this.ended.map((one) => backupOperationEntry({ name: 'b1', uid: 'u1' }, one));
  }
}

describe('an operation', () => {
  it('is asked at once and then at intervals, until it has completed', async () => {
    const lab = new Lab();
    const half = { ...inProgress, completed: 5, total: 10, unit: 'Bytes' };
    const operation = new ScriptedOperation([inProgress, half, half, completed]);
    await lab.begin(operation);
    const ended = lab.operations.ended();
    expect(operation.asked).toBe(1);
    await lab.clock.advance(9_999);
    expect(operation.asked).toBe(1);
    await lab.clock.advance(20_001);
    await ended;
    expect(operation.asked).toBe(4);
    expect(operation.cancelled).toBe(0);
    expect(lab.states).toEqual(['Started', 'InProgress', 'Completed']);
    expect(lab.events[1]).toMatchObject({
      ...{ action: 'example.com/copy', operationId: 'copy-1', completed: 5, total: 10 },
      object: { groupResource: 'persistentvolumeclaims', namespace: 'shop', name: 'data' },
    });
    expect(lab.errors).toEqual([]);
  });

  it('stands in the file as Velero writes it', async () => {
    const lab = new Lab();
    const startedAt = new Date('2026-01-01T00:00:07Z');
    const itemsToUpdate = [{ ...Resources.persistentVolumes, name: 'pv' }];
    const known = { completed: 9, total: 9, unit: 'Bytes', description: 'done', startedAt };
    await lab.begin(
      new ScriptedOperation([inProgress, { ...completed, ...known }], { itemsToUpdate }),
    );
    await lab.clock.advance(10_000);
    await lab.operations.ended();
    expect(JSON.stringify(lab.entries)).toBe(
      '[{"spec":{"backupName":"b1","backupUID":"u1","backupItemAction":"example.com/copy",' +
        '"resourceIdentifier":{"Group":"","Resource":"persistentvolumeclaims","Namespace":"shop","Name":"data"},' +
        '"operationID":"copy-1","postOperationItems":[{"Group":"","Resource":"persistentvolumes","Namespace":"","Name":"pv"}]},' +
        '"status":{"phase":"Completed","nCompleted":9,"nTotal":9,"operationUnits":"Bytes","description":"done",' +
        '"created":"2026-01-01T00:00:00Z","started":"2026-01-01T00:00:07Z","updated":"2026-01-01T00:00:10Z"}}]',
    );
    const ofRestore = lab.ended.map((one) => restoreOperationEntry({ name: 'r1', uid: 'u2' }, one));
    expect(JSON.stringify(ofRestore)).toBe(
      '[{"spec":{"restoreName":"r1","restoreUID":"u2","restoreItemAction":"example.com/copy",' +
        '"resourceIdentifier":{"Group":"","Resource":"persistentvolumeclaims","Namespace":"shop","Name":"data"},' +
        '"operationID":"copy-1"},' +
        '"status":{"phase":"Completed","nCompleted":9,"nTotal":9,"operationUnits":"Bytes","description":"done",' +
        '"created":"2026-01-01T00:00:00Z","started":"2026-01-01T00:00:07Z","updated":"2026-01-01T00:00:10Z"}}]',
    );
  });

  it('that fails is an error that names it', async () => {
    const lab = new Lab();
    const operation = new ScriptedOperation([{ state: 'Failed', message: 'the tape is full' }]);
    await lab.begin(operation);
    await lab.operations.ended();
    expect(operation.cancelled).toBe(0);
    expect(lab.errors).toMatchObject([
      {
        reason: 'ItemOperationFailed',
        message: 'operation copy-1 of item action example.com/copy failed: the tape is full',
        object: { name: 'data' },
      },
    ]);
    expect(lab.entries).toMatchObject([
      {
        spec: { postOperationItems: null },
        status: { phase: 'Failed', error: 'the tape is full' },
      },
    ]);
  });

  it('that does not end in time is cancelled, and an error', async () => {
    const lab = new Lab('25s');
    const operation = new ScriptedOperation([inProgress]);
    await lab.begin(operation);
    await lab.clock.advance(24_999);
    expect(operation.cancelled).toBe(0);
    await lab.clock.advance(1);
    await lab.operations.ended();
    expect(operation.cancelled).toBe(1);
    expect(lab.states.at(-1)).toBe('Failed it did not end within 25s');
    expect(lab.errors).toHaveLength(1);
  });

  it('may be silent for a while', async () => {
    const lab = new Lab();
    const broken = new Error('connection refused');
    const operation = new ScriptedOperation([
      broken,
      broken,
      broken,
      inProgress,
      broken,
      completed,
    ]);
    await lab.begin(operation);
    await lab.clock.advance(50_000);
    await lab.operations.ended();
    expect(lab.states).toEqual(['Started', 'Completed']);
    expect(lab.errors).toEqual([]);
  });

  it.each<[string, ConstructorParameters<typeof ScriptedOperation>[0], string]>([
    ['rejects', [inProgress, new Error('connection refused')], 'connection refused'],
    ['hangs', [inProgress, 'hang'], 'not done within 30000 ms'],
    ['tells no state', [inProgress, {} as typeof inProgress], 'did not resolve with a state'],
  ])(
    'of which every further question %s fails after a minute, and is cancelled',
    async (_what, answers, why) => {
      const lab = new Lab();
      const operation = new ScriptedOperation(answers);
      await lab.begin(operation);
      await lab.clock.advance(59_999);
      expect(lab.errors).toEqual([]);
      await lab.clock.advance(minuteMs);
      await lab.operations.ended();
      expect(operation.cancelled).toBe(1);
      expect(lab.errors[0]?.message).toContain(why);
      expect(lab.errors[0]?.message).toContain('not known any more');
    },
  );

  it('that cannot be cancelled is logged, and waited for no longer than 15 seconds', async () => {
    const lab = new Lab('1s');
    const operation = new ScriptedOperation([inProgress]);
    operation.onCancel = () => Promise.withResolvers<void>().promise;
    await lab.begin(operation);
    await lab.clock.advance(1_000);
    expect(operation.cancelled).toBe(1);
    expect(lab.errors).toEqual([]);
    await lab.clock.advance(15_000);
    await lab.operations.ended();
    expect(operation.signals.at(-1)?.aborted).toBe(true);
    expect(lab.warnings).toEqual(['an operation of an item action could not be cancelled']);
    expect(lab.errors).toHaveLength(1);
  });

  it('begun when the others have ended is followed, too', async () => {
    const lab = new Lab();
    await lab.begin(new ScriptedOperation([completed]));
    await lab.operations.ended();
    expect(lab.operations.pending).toBe(false);
    await lab.begin(new ScriptedOperation([completed], { id: 'copy-2' }));
    expect(lab.operations.pending).toBe(true);
    await lab.operations.ended();
    expect(lab.entries).toMatchObject([
      { spec: { operationID: 'copy-1' } },
      { spec: { operationID: 'copy-2' } },
    ]);
  });
});

describe('many operations', () => {
  it('are asked eight at a time', async () => {
    const lab = new Lab();
    const operations = Array.from({ length: 20 }, () => new ScriptedOperation(['hang']));
    await lab.begin(...operations);
    expect(operations.filter(({ asked }) => asked > 0)).toHaveLength(8);
    lab.abort.abort();
  });
});

describe('an abort', () => {
  it('ends the waiting with its reason, though a question hangs, and a later one cancels what has not failed', async () => {
    const lab = new Lab();
    const operations = {
      hanging: new ScriptedOperation(['hang']),
      running: new ScriptedOperation([inProgress]),
      done: new ScriptedOperation([completed]),
      failed: new ScriptedOperation([{ state: 'Failed' }]),
    };
    await lab.begin(...Object.values(operations));
    const ended = lab.operations.ended();
    const reason = new Error('enough');
    lab.abort.abort(reason);
    await expect(ended).rejects.toBe(reason);
    operations.running.onCancel = () => Promise.reject(new Error('no'));
    await lab.operations.discard('all', new AbortController().signal);
    const { hanging, running, done, failed } = operations;
    expect([hanging, running, done, failed].map(({ cancelled }) => cancelled)).toEqual([
      1, 1, 1, 0,
    ]);
    expect(lab.states.filter((state) => state === 'Cancelled')).toHaveLength(3);
    expect(lab.warnings).toHaveLength(1);
  });

  it('may leave what has completed', async () => {
    const lab = new Lab();
    const running = new ScriptedOperation([inProgress]);
    const done = new ScriptedOperation([completed]);
    await lab.begin(running, done);
    lab.abort.abort();
    await lab.operations.discard('running', new AbortController().signal);
    expect([running.cancelled, done.cancelled]).toEqual([1, 0]);
  });

  it('waits for cancellations that hang in bounds', async () => {
    const lab = new Lab();
    const operations = Array.from({ length: 10 }, () => new ScriptedOperation([inProgress]));
    for (const operation of operations) {
      operation.onCancel = () => Promise.withResolvers<void>().promise;
    }
    await lab.begin(...operations);
    lab.abort.abort();
    const discarded = lab.operations.discard('all', new AbortController().signal);
    await lab.clock.advance(0);
    await lab.clock.advance(30_000);
    await discarded;
    expect(operations.map(({ cancelled }) => cancelled)).toEqual(operations.map(() => 1));
  });
});
