import { describe, expect, it } from 'vitest';
import { podBlocks } from './pod-blocks.ts';

const pods: Readonly<Record<string, readonly string[]>> = {
  a: ['x'],
  b: ['y'],
  c: ['x', 'z'],
  d: [],
  e: ['y', 'z'],
  f: ['w'],
};

function blocks(names: string, groups: Readonly<Record<string, string>> = {}): string {
  return podBlocks(names.split(''), (name) => pods[name] ?? [], new Map(Object.entries(groups)))
    .map((block) => block.join(''))
    .join(' ');
}

describe('podBlocks', () => {
  it.each([
    ['pods without a claim in common stay alone', 'abf', {}, 'a b f'],
    ['pods without claims stay alone', 'da', {}, 'd a'],
    ['pods that share a claim belong together', 'abc', {}, 'ac b'],
    ['a pod joins two blocks', 'abcde', {}, 'abce d'],
    ['claims of one group belong together', 'abf', { x: 'g', w: 'g' }, 'af b'],
    ['different groups do not', 'abf', { x: 'g', w: 'h' }, 'a b f'],
    ['a group named as a claim is not that claim', 'af', { x: 'w' }, 'a f'],
  ])('%s', (_what, names, groups, expected) => {
    expect(blocks(names, groups)).toBe(expected);
  });
});
