import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { startServer } from './server-process.ts';

const program = `
  const server = require('node:http').createServer((_, response) => response.end('mine'));
  server.listen(Number(process.argv[1]), '127.0.0.1');`;

it('a server whose port another process takes first is started on another one', async ({
  onTestFinished,
}) => {
  const ports: number[] = [];
  await using running = await startServer((port) => {
    if (ports.length === 0) {
      const thief = createServer((_, response) => response.end('stolen'));
      thief.listen(port, '127.0.0.1');
      onTestFinished(async () => {
        thief.close();
        await once(thief, 'close');
      });
    }
    ports.push(port);
    return { name: 'a server', command: process.execPath, args: ['-e', program, String(port)] };
  });
  expect(ports).toHaveLength(2);
  const response = await fetch(`http://127.0.0.1:${running.port}`);
  expect(await response.text()).toBe('mine');
});
