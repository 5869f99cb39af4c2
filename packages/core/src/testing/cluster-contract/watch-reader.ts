import assert from 'node:assert/strict';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import type { WatchEvent } from '../../ports/cluster.ts';

/** Reads the events of a watch one by one. Dispose it to leave the watch. */
export class WatchReader implements AsyncDisposable {
  readonly #events: AsyncIterator<WatchEvent>;

  constructor(events: AsyncIterable<WatchEvent>) {
    this.#events = events[Symbol.asyncIterator]();
  }

  /** The next event; fails when the watch has ended. */
  async next(): Promise<WatchEvent> {
    const result = await this.#events.next();
    if (result.done === true) {
      assert.fail('the watch ended');
    }
    return result.value;
  }

  /** Checks that the next event is of a type and about an object of a name, and returns the object. */
  async expect(type: 'added' | 'modified' | 'deleted', name: string): Promise<KubernetesObject> {
    const event = await this.next();
    if (event.type === 'synced' || event.type === 'restarted') {
      return assert.fail(`expected ${type} ${name}, got ${event.type}`);
    }
    assert.equal(`${event.type} ${event.object.metadata.name}`, `${type} ${name}`);
    return event.object;
  }

  /** Checks that the next event is a bare one. */
  async expectMark(type: 'synced' | 'restarted'): Promise<void> {
    assert.equal((await this.next()).type, type);
  }

  /** Skips to the end of the initial objects and returns the names of those. */
  async untilSynced(): Promise<string[]> {
    const names: string[] = [];
    for (let event = await this.next(); event.type !== 'synced'; event = await this.next()) {
      if (event.type !== 'added') {
        return assert.fail(`expected added or synced, got ${event.type}`);
      }
      names.push(event.object.metadata.name);
    }
    return names;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#events.return?.();
  }
}
