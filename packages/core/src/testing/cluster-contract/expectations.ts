import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { isLifeboatError, type LifeboatError, type LifeboatErrorCode } from '../../errors.ts';
import { type JsonValue, jsonEquals, stringifyJson } from '../../model/json.ts';
import type { ClusterContractNeed } from './cluster-contract-context.ts';

const patienceMs = 45_000;
const firstPauseMs = 2;
const longestPauseMs = 250;

/** A member of the context that the case's `needs` promises. */
export function provided<T>(member: T | undefined, need: ClusterContractNeed): T {
  assert.ok(member !== undefined, `the host runs a case that needs ${need} without giving it`);
  return member;
}

/** Checks that a call rejects with an error of a code, and returns the error for further checks. */
export async function rejectsWith(
  code: LifeboatErrorCode,
  call: Promise<unknown>,
): Promise<LifeboatError> {
  const error = await rejectionOf(call);
  if (!isLifeboatError(error)) {
    assert.fail(`expected a rejection with ${code}, got ${String(error)}`);
  }
  assert.equal(error.code, code, error.message);
  return error;
}

/** Checks that a call rejects with this very value. */
export async function rejectsWithReason(reason: unknown, call: Promise<unknown>): Promise<void> {
  const error = await rejectionOf(call);
  assert.ok(error === reason, `expected the signal's reason itself, got ${String(error)}`);
}

/** Asks again and again until an answer is neither `undefined` nor `false`; fails after 45 seconds. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  signal: AbortSignal,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (
    let pauseMs = firstPauseMs;
    performance.now() < deadline;
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  ) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) {
      return answer;
    }
    await sleep(pauseMs, undefined, { signal });
  }
  assert.fail(`${what} did not happen within ${patienceMs / 1000} seconds`);
}

/** All items of a list. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) {
    collected.push(item);
  }
  return collected;
}

/** Checks that two JSON values are equal to the digit. */
export function assertJsonEqual(
  actual: JsonValue | undefined,
  expected: JsonValue | undefined,
): void {
  assert.ok(
    jsonEquals(actual, expected),
    `expected ${stringifyJson(expected ?? null)}, got ${stringifyJson(actual ?? null)}`,
  );
}

async function rejectionOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  return assert.fail('expected a rejection, but the call succeeded');
}
