import { describe, expect, it } from 'vitest';
import { parseHookCommand } from './hook-command.ts';

describe('parseHookCommand', () => {
  it.each<[string, readonly string[]]>([
    ['/usr/bin/freeze', ['/usr/bin/freeze']],
    ['fsfreeze -f /data', ['fsfreeze -f /data']],
    ['["sh","-c","echo $HOME"]', ['sh', '-c', 'echo $HOME']],
    ['["one"]', ['one']],
    ['["not", closed', ['["not", closed']],
    ['["sh", 1]', ['["sh", 1]']],
    ['[]', ['[]']],
    [' ["a"]', [' ["a"]']],
  ])('reads %j', (text, command) => {
    expect(parseHookCommand(text)).toEqual(command);
  });
});
