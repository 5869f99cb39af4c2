import { Agent } from 'undici';
import { expect, it } from 'vitest';
import { exchange } from './exchange.ts';
import { answerJson, ScriptedServer } from './scripted-server.ts';

const get = { path: '/', method: 'GET' } as const;

it('reads an answer that comes in pieces, behind the news that it will come', async () => {
  const bytes = Buffer.from('\ufeff{"ä":"€"}');
  await using server = await ScriptedServer.start((response) => {
    response.writeEarlyHints({ link: '</>; rel=preload' });
    response.writeHead(201, { 'x-test': 'yes' });
    response.write(bytes.subarray(0, 6));
    setImmediate(() => response.end(bytes.subarray(6)));
  });
  await using agent = disposable(new Agent());
  const answer = await exchange(agent.dispatcher, { ...get, origin: server.url }, undefined);
  expect(answer).toMatchObject({ status: 201, headers: { 'x-test': 'yes' }, text: '{"ä":"€"}' });
});

it('rejects at once when it is aborted while it waits for a connection, and does not send it then', async () => {
  const arrived = Promise.withResolvers<() => void>();
  await using server = await ScriptedServer.start((response, { url }) => {
    const answer = (): void => answerJson(response, 200, {});
    if (url === '/') {
      arrived.resolve(answer);
    } else {
      answer();
    }
  });
  await using agent = disposable(new Agent({ connections: 1, pipelining: 1 }));
  const first = exchange(agent.dispatcher, { ...get, origin: server.url }, undefined);
  const answerFirst = await arrived.promise;
  const controller = new AbortController();
  const queued = exchange(
    agent.dispatcher,
    { ...get, origin: server.url, path: '/queued' },
    controller.signal,
  );
  controller.abort(new Error('enough'));
  await expect(queued).rejects.toThrow('enough');
  answerFirst();
  await first;
  await exchange(agent.dispatcher, { ...get, origin: server.url, path: '/last' }, undefined);
  expect(server.requests.map(({ url }) => url)).toEqual(['/', '/last']);
});

it('rejects with the reason of an abort that cuts an answer off', async () => {
  const controller = new AbortController();
  await using server = await ScriptedServer.start((response) => {
    response.writeHead(200);
    response.write('{', () => controller.abort(new Error('enough')));
  });
  await using agent = disposable(new Agent());
  const answer = exchange(agent.dispatcher, { ...get, origin: server.url }, controller.signal);
  await expect(answer).rejects.toThrow('enough');
});

it('rejects as the connection does when it is lost', async () => {
  await using server = await ScriptedServer.start((response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('{', () => response.destroy());
  });
  await using agent = disposable(new Agent());
  const answer = exchange(agent.dispatcher, { ...get, origin: server.url }, undefined);
  await expect(answer).rejects.toThrow();
});

it('sends nothing when the signal has aborted already', async () => {
  await using server = await ScriptedServer.start((response) => answerJson(response, 200, {}));
  await using agent = disposable(new Agent());
  const reason = new Error('enough');
  const sending = exchange(
    agent.dispatcher,
    { ...get, origin: server.url },
    AbortSignal.abort(reason),
  );
  await expect(sending).rejects.toBe(reason);
  expect(server.requests).toEqual([]);
});

function disposable(dispatcher: Agent): AsyncDisposable & { readonly dispatcher: Agent } {
  return { dispatcher, [Symbol.asyncDispose]: () => dispatcher.destroy() };
}
