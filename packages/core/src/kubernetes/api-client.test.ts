import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isLifeboatError } from '../errors.ts';
import { systemClock } from '../internal/system-clock.ts';
import { stringifyJson } from '../model/json.ts';
import type { ApiClient } from './api-client.ts';
import { SkippingClock, scriptedClient } from './scripted-client.ts';
import { answerJson, answerStatus, ScriptedServer } from './scripted-server.ts';

const subject = { operation: 'Cluster.get', target: 'configmaps shop/a' };
const read = { ...subject, method: 'GET', path: '/api/v1/x' } as const;
const write = { ...subject, method: 'POST', path: '/api/v1/x', body: { a: 1 } } as const;

describe('ApiClient', () => {
  it('sends the body and the credentials, and reads the answer to the digit', async () => {
    await using server = await ScriptedServer.start((response) =>
      answerJson(response, 201, '{"large":9007199254740993,"fraction":1.10}'),
    );
    await using client = open(scriptedClient(server, { headers: { authorization: 'Bearer t' } }));
    const body = await client.request({ ...write, contentType: 'application/merge-patch+json' });
    expect(stringifyJson(body)).toBe('{"fraction":1.10,"large":9007199254740993}');
    expect(server.requests).toEqual([
      expect.objectContaining({ method: 'POST', url: '/api/v1/x', body: '{"a":1}' }),
    ]);
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer t',
      'content-type': 'application/merge-patch+json',
      accept: 'application/json',
    });
  });

  it('sends JSON in the form in which the API server writes it, with keys sorted and HTML escaped', async () => {
    await using server = await ScriptedServer.start((response) => answerJson(response, 201, {}));
    await using client = open(scriptedClient(server));
    const data = { spec: { command: 'a > b & c < d', '9': 'nine', '10': 'ten' } };
    await client.request({ ...write, body: { kind: 'ControllerRevision', data } });
    expect(server.requests[0]?.body).toBe(
      String.raw`{"data":{"spec":{"10":"ten","9":"nine","command":"a \u003e b \u0026 c \u003c d"}},"kind":"ControllerRevision"}`,
    );
  });

  it('keeps the base path of a server behind a gateway', async () => {
    await using server = await ScriptedServer.start((response) => answerJson(response, 200, {}));
    await using client = open(scriptedClient({ url: `${server.url}/k8s/clusters/c-1/` }));
    await client.request(read);
    expect(server.requests[0]?.url).toBe('/k8s/clusters/c-1/api/v1/x');
    expect(client.location).toBe(`${server.url}/k8s/clusters/c-1`);
  });

  it.each([
    ['a read', read],
    ['a write', write],
  ])('waits as long as Retry-After says and sends %s again', async (_name, request) => {
    const clock = new SkippingClock();
    await using server = await ScriptedServer.start((response, _request, index) =>
      index === 0
        ? answerStatus(response, 429, 'TooManyRequests', { headers: { 'retry-after': '7' } })
        : answerJson(response, 200, { ok: true }),
    );
    await using client = open(scriptedClient(server, { clock }));
    expect(await client.request(request)).toEqual({ ok: true });
    expect(clock.sleeps).toEqual([7_000]);
    expect(server.requests).toHaveLength(2);
  });

  it('gives up after five tries and tells how long the server asked to wait', async () => {
    await using server = await ScriptedServer.start((response) =>
      answerStatus(response, 429, 'TooManyRequests', { headers: { 'retry-after': '1' } }),
    );
    await using client = open(scriptedClient(server));
    await expect(client.request(read)).rejects.toMatchObject({
      code: 'RateLimited',
      retryable: true,
      retryAfterMs: 1_000,
    });
    expect(server.requests).toHaveLength(5);
  });

  it.each([
    ['a read', read, 3],
    ['a write', write, 1],
  ])('sends %s whose connection broke the right number of times', async (_name, request, times) => {
    await using server = await ScriptedServer.start((response, _request, index) =>
      index < 2 ? response.destroy() : answerJson(response, 200, {}),
    );
    await using client = open(scriptedClient(server));
    const outcome = await client.request(request).catch((error: unknown) => error);
    expect(server.requests).toHaveLength(times);
    expect(isLifeboatError(outcome, 'Unavailable')).toBe(request.method === 'POST');
  });

  it('asks a server once more at most that takes twenty seconds to say that it is down', async () => {
    let nowMs = 0;
    const clock = { now: () => new Date(nowMs), sleep: async () => undefined };
    await using server = await ScriptedServer.start((response) => {
      nowMs += 20_000;
      answerStatus(response, 503, 'ServiceUnavailable');
    });
    await using client = open(scriptedClient(server, { clock }));
    await expect(client.request(read)).rejects.toMatchObject({ code: 'Unavailable' });
    expect(server.requests).toHaveLength(2);
  });

  it('reads again when the answer breaks off', async () => {
    await using server = await ScriptedServer.start((response, _request, index) => {
      if (index > 0) {
        answerJson(response, 200, { ok: true });
        return;
      }
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"ok":', () => response.destroy());
    });
    await using client = open(scriptedClient(server));
    expect(await client.request(read)).toEqual({ ok: true });
  });

  it('tries a write again that was never sent', async () => {
    const clock = new SkippingClock();
    const server = await ScriptedServer.start(() => undefined);
    const { url } = server;
    await server[Symbol.asyncDispose]();
    await using client = open(scriptedClient({ url }, { clock }));
    await expect(client.request(write)).rejects.toMatchObject({
      code: 'Unavailable',
      retryable: true,
    });
    expect(clock.sleeps).toEqual([100, 200, 400, 800]);
  });

  it('a page of HTML is an error that does not repeat it', async () => {
    await using server = await ScriptedServer.start((response, { url }) =>
      answerJson(response, url === '/ok' ? 200 : 403, '<html>secret</html>'),
    );
    await using client = open(scriptedClient(server));
    const accepted = client.request({ ...read, path: '/ok' });
    await expect(accepted).rejects.toMatchObject({ code: 'Unknown' });
    await expect(accepted).rejects.not.toThrow(/html/);
    await expect(client.request(read)).rejects.toMatchObject({ code: 'Forbidden' });
    await expect(client.request(read)).rejects.not.toThrow(/html/);
  });

  it('no error holds the credentials', async () => {
    await using server = await ScriptedServer.start((response, _request, index) =>
      index === 0 ? response.destroy() : answerStatus(response, 401, 'Unauthorized'),
    );
    await using client = open(
      scriptedClient(server, { headers: { authorization: 'Bearer hush' } }),
    );
    for (const request of [write, write]) {
      const error: unknown = await client.request(request).catch((caught: unknown) => caught);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('hush');
    }
  });

  it('credentials that cannot be obtained are Unauthorized, and nothing is sent', async () => {
    await using server = await ScriptedServer.start((response) => answerJson(response, 200, {}));
    const identity = (): never => {
      throw new Error('token=hush');
    };
    await using client = open(scriptedClient(server, { identity }));
    await expect(client.request(read)).rejects.toMatchObject({ code: 'Unauthorized' });
    await expect(client.request(read)).rejects.not.toThrow(/hush/);
    expect(server.requests).toHaveLength(0);
  });

  it('an abort while the server is silent rejects with the reason and drops the connection', async () => {
    const closed = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    await using server = await ScriptedServer.start((response) => {
      response.on('close', () => closed.resolve());
      arrived.resolve();
    });
    await using client = open(scriptedClient(server));
    const controller = new AbortController();
    const reason = new Error('enough');
    const call = client.request({ ...read, signal: controller.signal });
    await arrived.promise;
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await closed.promise;
  });

  it.each(['abort', 'close'] as const)('an %s ends the wait for Retry-After', async (how) => {
    const arrived = Promise.withResolvers<void>();
    await using server = await ScriptedServer.start((response) => {
      answerStatus(response, 503, 'ServiceUnavailable', { headers: { 'retry-after': '20' } });
      response.on('finish', () => arrived.resolve());
    });
    await using client = open(scriptedClient(server, { clock: systemClock }));
    const controller = new AbortController();
    const reason = new Error('enough');
    const call = client.request({ ...read, signal: controller.signal });
    const outcome = call.catch((error: unknown) => error);
    await arrived.promise;
    if (how === 'abort') {
      controller.abort(reason);
      expect(await outcome).toBe(reason);
    } else {
      await client.close();
      expect(await outcome).toMatchObject({ code: 'Closed' });
    }
  });

  it('shares a bounded number of connections', async () => {
    await using server = await ScriptedServer.start((response) => answerJson(response, 200, {}));
    await using client = open(scriptedClient(server, { connections: 3 }));
    await Promise.all(Array.from({ length: 50 }, () => client.request(read)));
    for (let index = 0; index < 20; index += 1) {
      await client.request(read);
    }
    expect(server.connections).toBeLessThanOrEqual(3);
  });

  it('streams have connections of their own', async () => {
    await using server = await ScriptedServer.start((response, { url }) =>
      url === '/watch' ? response.write('1\n') : answerJson(response, 200, { ok: true }),
    );
    await using client = open(scriptedClient(server, { connections: 1 }));
    const streams = await Promise.all(
      Array.from({ length: 5 }, () => client.open({ ...read, path: '/watch' })),
    );
    expect(await client.request(read)).toEqual({ ok: true });
    expect(streams).toHaveLength(5);
  });

  it('connects anew when the certificates change, and lets what runs end', async () => {
    let servername = 'first';
    const pending: (() => void)[] = [];
    await using server = await ScriptedServer.start((response, { url }) =>
      url === '/slow'
        ? pending.push(() => answerJson(response, 200, { slow: true }))
        : answerJson(response, 200, {}),
    );
    await using client = open(
      scriptedClient(server, { connections: 1, identity: () => ({ servername }) }),
    );
    await client.request(read);
    const slow = client.request({ ...read, path: '/slow' });
    while (pending.length === 0) {
      await sleep(1);
    }
    servername = 'second';
    await client.request(read);
    await client.request(read);
    expect(server.connections).toBe(2);
    pending.forEach((answer) => answer());
    expect(await slow).toEqual({ slow: true });
  });

  it('leaving a stream early closes its connection', async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await ScriptedServer.start((response) => {
      response.on('close', () => closed.resolve());
      response.write('1\n');
    });
    await using client = open(scriptedClient(server));
    for await (const _ of await client.open(read)) {
      break;
    }
    await closed.promise;
  });
});

function open(client: ApiClient): ApiClient & AsyncDisposable {
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}
