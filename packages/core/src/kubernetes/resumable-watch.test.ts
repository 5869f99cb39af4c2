import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import type { WatchEvent, WatchOptions } from '../ports/cluster.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { KubernetesCluster } from './kubernetes-cluster.ts';
import { SkippingClock, scriptedClient } from './scripted-client.ts';
import { answerJson, answerStatus, ScriptedServer } from './scripted-server.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps' };

/** How the server answers each list and each watch in turn; the last answer is repeated. */
interface Conversation {
  readonly lists?: readonly ((response: ServerResponse, url: string) => void)[];
  readonly watches: readonly ((response: ServerResponse) => void)[];
}

describe('watch', () => {
  it('lists, then watches from the version of the list, with bookmarks and a time limit', async () => {
    const { events, watched } = await watch({ watches: [lines(added('b', 8))] }, 3);
    expect(events).toEqual(['added a', 'synced', 'added b']);
    const query = new URL(watched[0] ?? '', 'http://x').searchParams;
    expect(query.get('resourceVersion')).toBe('5');
    expect(query.get('allowWatchBookmarks')).toBe('true');
    expect(Number(query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(240);
    expect(Number(query.get('timeoutSeconds'))).toBeLessThanOrEqual(300);
  });

  it('goes on after the last version it saw, bookmarks included', async () => {
    const { events, versions } = await watch(
      {
        watches: [
          lines(added('b', 8)),
          lines(bookmark(11)),
          (response) => response.destroy(),
          lines(added('c', 12)),
        ],
      },
      4,
    );
    expect(events).toEqual(['added a', 'synced', 'added b', 'added c']);
    expect(versions.slice(0, 3)).toEqual(['5', '8', '11']);
    expect(versions.at(-1)).toBe('11');
  });

  it('drops an event that was cut off and gets it on the next connection', async () => {
    const { events, versions } = await watch(
      { watches: [cutOff(added('b', 8)), lines(added('b', 8))] },
      3,
    );
    expect(events).toEqual(['added a', 'synced', 'added b']);
    expect(versions).toEqual(['5', '5']);
  });

  it.each([
    ['as an event', (response: ServerResponse) => lines(gone())(response)],
    ['as an answer', (response: ServerResponse) => answerStatus(response, 410, 'Expired')],
  ])('a version that the server forgot, told %s, makes it list again', async (_name, forget) => {
    const { events } = await watch(
      {
        lists: [list(['a', 'b'], 5), list(['b', 'c'], 20)],
        watches: [forget, lines(added('d', 21))],
      },
      8,
    );
    expect(events).toEqual([
      'added a',
      'added b',
      'synced',
      'restarted',
      'added b',
      'added c',
      'synced',
      'added d',
    ]);
  });

  it('starts over when its first list expires between pages', async () => {
    const { events } = await watch(
      {
        lists: [
          list(['a'], 5, 'token'),
          (response) => answerStatus(response, 410, 'Expired', { metadata: { continue: 'x' } }),
          list(['a', 'b'], 9),
        ],
        watches: [lines(added('c', 10))],
      },
      6,
    );
    expect(events).toEqual(['added a', 'restarted', 'added a', 'added b', 'synced', 'added c']);
  });

  it('with a resourceVersion it neither lists nor reports synced', async () => {
    const { events, versions, listed } = await watch({ watches: [lines(added('b', 8))] }, 1, {
      resourceVersion: '7',
    });
    expect(events).toEqual(['added b']);
    expect(versions).toEqual(['7']);
    expect(listed).toBe(0);
  });

  it('a resourceVersion that is too old is Gone', async () => {
    const outcome = watch({ watches: [lines(gone())] }, 1, { resourceVersion: '1' });
    await expect(outcome).rejects.toMatchObject({ code: 'Gone' });
  });

  it('a resourceVersion that was good once and is forgotten later restarts', async () => {
    const { events } = await watch({ watches: [lines(added('b', 8)), lines(gone())] }, 4, {
      resourceVersion: '7',
    });
    expect(events).toEqual(['added b', 'restarted', 'added a', 'synced']);
  });

  it.each([
    [403, 'Forbidden', 'Forbidden'],
    [401, 'Unauthorized', 'Unauthorized'],
    [404, 'NotFound', 'NotFound'],
  ])('a refusal of %i ends it', async (status, reason, code) => {
    const outcome = watch(
      { watches: [lines(added('b', 8)), (response) => answerStatus(response, status, reason)] },
      9,
    );
    await expect(outcome).rejects.toMatchObject({ code });
  });

  it('an outage is waited out with growing pauses, and reported after some two minutes', async () => {
    const clock = new SkippingClock();
    const outcome = watch({ watches: [(response) => response.destroy()] }, 9, {}, clock);
    await expect(outcome).rejects.toMatchObject({ code: 'Unavailable', retryable: true });
    const waitedMs = clock.sleeps.reduce((sum, ms) => sum + ms, 0);
    expect(waitedMs).toBeGreaterThan(100_000);
    expect(waitedMs).toBeLessThan(240_000);
  });

  it.each([
    [
      'of every watch',
      { watches: [(response: ServerResponse) => answerStatus(response, 410, 'Expired')] },
    ],
    [
      'between the pages of every list',
      {
        lists: [
          (response: ServerResponse, url: string) =>
            url.includes('continue=')
              ? answerStatus(response, 410, 'Expired')
              : list(['a'], 5, 'token')(response),
        ],
        watches: [],
      },
    ],
  ])(
    'a server that says so %s is left alone for longer and longer, and in the end reported',
    async (_name, conversation) => {
      const clock = new WakingClock();
      let requests = 0;
      const outcome = watch(conversation, Number.POSITIVE_INFINITY, {}, clock, () => {
        requests += 1;
      });
      const ended = outcome.then(
        () => undefined,
        (error: unknown) => error,
      );
      const pauses: number[] = [];
      for (;;) {
        const pauseMs = await Promise.race([clock.nextSleep(), ended.then(() => undefined)]);
        if (pauseMs === undefined) {
          break;
        }
        pauses.push(pauseMs);
        const askedBefore = requests;
        await clock.advance(pauseMs - 1);
        expect(requests).toBe(askedBefore);
        await clock.advance(1);
      }
      expect(await ended).toMatchObject({ code: 'Gone' });
      expect(pauses.slice(0, 8)).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
      expect(pauses).toHaveLength(27);
    },
  );

  it('leaving it closes its connection', async () => {
    const closed = Promise.withResolvers<void>();
    const open = (response: ServerResponse): void => {
      response.on('close', () => closed.resolve());
      response.write(`${JSON.stringify(added('b', 8))}\n`);
    };
    await watch({ watches: [open] }, 3);
    await closed.promise;
  });
});

async function watch(
  { lists = [list(['a'], 5)], watches }: Conversation,
  count: number,
  options: WatchOptions = {},
  clock: Clock = new SkippingClock(),
  onRequest: () => void = () => undefined,
): Promise<{ events: string[]; watched: string[]; versions: (string | null)[]; listed: number }> {
  const watched: string[] = [];
  let listed = 0;
  await using server = await ScriptedServer.start((response, { url }) => {
    onRequest();
    if (url.includes('watch=true')) {
      watched.push(url);
      (watches[watched.length - 1] ?? watches.at(-1))?.(response);
    } else {
      listed += 1;
      (lists[listed - 1] ?? lists.at(-1))?.(response, url);
    }
  });
  await using cluster = new KubernetesCluster(scriptedClient(server, { clock }));
  const events: string[] = [];
  for await (const event of cluster.watch(configMaps, options)) {
    if (events.push(describeEvent(event)) === count) {
      break;
    }
  }
  const versions = watched.map((url) =>
    new URL(url, 'http://x').searchParams.get('resourceVersion'),
  );
  return { events, watched, versions, listed };
}

/** A clock that tells of each sleep. */
class WakingClock extends ManualClock {
  readonly #sleeps: number[] = [];
  #asked: PromiseWithResolvers<number> | undefined;

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const slept = super.sleep(ms, signal);
    if (ms > 0 && this.#asked !== undefined) {
      this.#asked.resolve(ms);
      this.#asked = undefined;
    } else if (ms > 0) {
      this.#sleeps.push(ms);
    }
    await slept;
  }

  /** How long the next sleep is, once it has begun. */
  async nextSleep(): Promise<number> {
    const sleep = this.#sleeps.shift();
    if (sleep !== undefined) {
      return sleep;
    }
    this.#asked = Promise.withResolvers();
    return this.#asked.promise;
  }
}

function describeEvent(event: WatchEvent): string {
  return 'object' in event ? `${event.type} ${event.object.metadata.name}` : event.type;
}

function list(
  names: readonly string[],
  version: number,
  token?: string,
): (response: ServerResponse) => void {
  return (response) =>
    answerJson(response, 200, {
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: { resourceVersion: String(version), continue: token },
      items: names.map((name) => ({ metadata: { name } })),
    });
}

function lines(...messages: readonly unknown[]): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(200);
    response.end(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  };
}

function cutOff(message: unknown): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(200);
    response.write(JSON.stringify(message).slice(0, -5), () => response.destroy());
  };
}

function added(name: string, version: number): unknown {
  const metadata = { name, resourceVersion: String(version) };
  return { type: 'ADDED', object: { apiVersion: 'v1', kind: 'ConfigMap', metadata } };
}

function bookmark(version: number): unknown {
  return { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version) } } };
}

function gone(): unknown {
  return {
    type: 'ERROR',
    object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' },
  };
}
