import { expect, it } from 'vitest';
import { ValidationError } from '../errors.ts';
import { systemClock } from '../internal/system-clock.ts';
import { MemoryObjectStore } from '../stores/memory-object-store.ts';
import { acceptRestore } from './accept-restore.ts';
import type { RestoreOptions, RestoreRequest } from './request.ts';

const badOptions = { maximumWaitingObjects: 0, itemOperations: { pollIntervalMs: 0.5 } };
const pathsOfBadOptions = [
  'options.maximumWaitingObjects',
  'options.itemOperations.pollIntervalMs',
];

async function violationsOf(
  request: RestoreRequest,
  options: RestoreOptions,
): Promise<readonly string[]> {
  await using store = new MemoryObjectStore();
  const accepted = acceptRestore({ store, clock: systemClock }, request, {
    ...options,
    isPlanned: false,
  });
  const error: unknown = await accepted.catch((reason: unknown) => reason);
  return error instanceof ValidationError ? error.violations.map(({ path }) => path) : [];
}

it('tells all that is wrong with a request and its options at once', async () => {
  const request = { name: 'No', spec: { backupName: '' } };
  expect(await violationsOf(request, badOptions)).toEqual([
    ...pathsOfBadOptions,
    ...['name', 'spec.backupName'],
  ]);
});

it('tells with them what is wrong with a rollback', async () => {
  const options = { ...badOptions, existingObjects: 'rollback' } as const;
  expect(await violationsOf({ spec: { backupName: 'shop' } }, options)).toEqual([
    ...pathsOfBadOptions,
    ...['options.existingObjects', 'spec.includedNamespaces'],
  ]);
});

it('does not look into a malformed spec for what a rollback needs', async () => {
  const request = { spec: { backupName: 'shop', includedNamespaces: 'shop' } };
  const malformed = request as unknown as RestoreRequest;
  expect(await violationsOf(malformed, { existingObjects: 'rollback' })).toEqual([
    'spec.includedNamespaces',
  ]);
});
