import { describe, expect, it } from 'vitest';
import type { CallOptions, ObjectBody, ObjectStat, PutOptions } from '../ports/object-store.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { FaultyObjectStore } from './faulty-object-store.ts';
import { validateObjectStore } from './validate-object-store.ts';

const options = { pageSize: 20 };
const always = { times: Number.POSITIVE_INFINITY };

describe('a store that keeps the contract', () => {
  it('is fit, and empty afterwards', async () => {
    const store = new MemoryObjectStore();
    await store.put('backups/shop/kept', Buffer.from('text'));
    const { isFit, findings, location, summary } = await validateObjectStore(store, options);
    expect(isFit).toBe(true);
    expect(location).toBe('memory:');
    expect(summary.split('\n')[0]).toBe('memory: is fit to keep backups.');
    expect(findings.filter(({ outcome }) => outcome === 'kept').length).toBeGreaterThan(45);
    expect(await Array.fromAsync(store.list(''), ({ key }) => key)).toEqual(['backups/shop/kept']);
  });

  it('says what it cannot do', async () => {
    const store = Object.assign(new MemoryObjectStore(), { capabilities: { ifAbsent: false } });
    const { isFit, summary } = await validateObjectStore(store, options);
    expect(isFit).toBe(true);
    expect(summary).toContain(
      'Not tested: of racing writers with ifAbsent exactly one wins, because the store says that it cannot do that.',
    );
    expect(summary).toContain('Not tested: a signed URL reads the object without credentials');
  });

  it('reports each finding when it is made', async () => {
    const rules: string[] = [];
    const { findings } = await validateObjectStore(new MemoryObjectStore(), {
      ...options,
      onFinding: ({ rule }) => rules.push(rule),
    });
    expect(rules).toEqual(findings.map(({ rule }) => rule));
  });
});

it('a store without rights is told so, and nothing else is tried', async () => {
  const store = new FaultyObjectStore(new MemoryObjectStore());
  const fault = store.inject({ operation: 'put', error: 'PermissionDenied', ...always });
  const { isFit, findings, summary } = await validateObjectStore(store, options);
  expect(isFit).toBe(false);
  expect(summary).toMatch(
    /^Broken: an object may be written\. Seen: ObjectStore\.put: .*: injected fault\. So no backup can be kept here\.$/m,
  );
  expect(findings.filter(({ outcome }) => outcome === 'kept').map(({ rule }) => rule)).toEqual([
    'an object may be deleted',
    'a missing object may be looked up',
  ]);
  expect(fault.hits).toBe(1);
});

it('a store that ignores conditions is not fit, and the consequence is named', async () => {
  class UnconditionalStore extends MemoryObjectStore {
    override async put(key: string, body: ObjectBody, put: PutOptions = {}): Promise<void> {
      await super.put(key, body, { ...put, ifAbsent: false });
    }
  }
  const store = new UnconditionalStore();
  const { isFit, summary } = await validateObjectStore(store, options);
  expect(isFit).toBe(false);
  expect(summary).toContain(
    'Broken: of racing writers with ifAbsent exactly one wins. Seen: 8 writers have won',
  );
  expect(summary).toContain('So two clusters might write one backup at the same time.');
  expect(await Array.fromAsync(store.list(''))).toEqual([]);
});

it('a rule that takes too long is broken', async () => {
  const store = new FaultyObjectStore(new MemoryObjectStore());
  store.inject({ operation: 'stat', hold: Promise.withResolvers<void>().promise });
  const { findings } = await validateObjectStore(store, { ...options, timeoutMs: 20 });
  expect(findings.find(({ outcome }) => outcome === 'broken')).toMatchObject({
    rule: 'an object may be looked up',
    reason: 'not done within 20 ms',
  });
});

it('an abort ends it with the reason, and leaves nothing', async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  class AbortingStore extends MemoryObjectStore {
    lists = 0;

    override list(prefix: string, call?: CallOptions): AsyncGenerator<ObjectStat> {
      this.lists += 1;
      if (this.lists === 5) controller.abort(reason);
      return super.list(prefix, call);
    }
  }
  const store = new AbortingStore();
  const validation = validateObjectStore(store, { ...options, signal: controller.signal });
  await expect(validation).rejects.toBe(reason);
  expect(await Array.fromAsync(store.list(''))).toEqual([]);
});

/** Shows what was put or deleted only a while later. */
class EventualStore extends MemoryObjectStore {
  #isSettled = true;

  override async stat(key: string, options?: CallOptions): Promise<ObjectStat | undefined> {
    return this.#isSettled ? super.stat(key, options) : undefined;
  }

  override async put(key: string, body: ObjectBody, options?: PutOptions): Promise<void> {
    await super.put(key, body, options);
    this.#isSettled = false;
    setTimeout(() => {
      this.#isSettled = true;
    }, 1);
  }
}

it('a store whose changes are seen late is fit only when they are waited for', async () => {
  const impatient = await validateObjectStore(new EventualStore(), options);
  expect(impatient.summary).toContain('Seen: what was written is not there.');
  const patient = await validateObjectStore(new EventualStore(), { ...options, settleMs: 5 });
  expect(patient.isFit).toBe(true);
});
