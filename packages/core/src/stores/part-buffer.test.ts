import { expect, it } from 'vitest';
import { PartBuffer } from './part-buffer.ts';

const mebibyte = 1024 * 1024;

function takeFilledWith(buffer: PartBuffer, ...texts: readonly string[]): Uint8Array {
  for (const text of texts) buffer.fill(Buffer.from(text));
  return buffer.take();
}

it('fills no more in than a part holds, and says how much', () => {
  const buffer = new PartBuffer(4);
  expect(buffer.fill(Buffer.from('abc'))).toBe(3);
  expect(buffer.isFull).toBe(false);
  expect(buffer.fill(Buffer.from('def'))).toBe(1);
  expect(buffer.isFull).toBe(true);
  expect(buffer.fill(Buffer.from('ef'))).toBe(0);
  expect(Buffer.from(buffer.take()).toString()).toBe('abcd');
});

it('begins the next part empty', () => {
  const buffer = new PartBuffer(4);
  takeFilledWith(buffer, 'ab');
  expect(Buffer.from(takeFilledWith(buffer, 'c')).toString()).toBe('c');
  expect(buffer.take().byteLength).toBe(0);
});

it('takes little memory for a short body', () => {
  const buffer = new PartBuffer(100 * mebibyte);
  expect(takeFilledWith(buffer, 'a', 'b').buffer.byteLength).toBeLessThan(mebibyte);
});

it('uses memory again only when it was given back', () => {
  const buffer = new PartBuffer(4);
  const first = takeFilledWith(buffer, 'abcd');
  const second = takeFilledWith(buffer, 'efgh');
  expect(second.buffer).not.toBe(first.buffer);
  buffer.giveBack(first);
  const third = takeFilledWith(buffer, 'ij');
  expect(third.buffer).toBe(first.buffer);
  expect(Buffer.from(third).toString()).toBe('ij');
  expect(Buffer.from(second).toString()).toBe('efgh');
});
