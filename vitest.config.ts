import { defineConfig } from 'vitest/config';

/** Makes `@lifeboat/*` resolve to the sources of the workspace: tests never need a build. */
const conditions = ['lifeboat-source', 'node', 'import', 'default'];
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
};

/**
 * Tests with real processes share a machine with other work, so they get a second try; the reporter names each test that needed it.
 * `--retry=0` takes it away.
 */
const retry = 1;

/** Projects of one order run side by side, orders one after another. */
export default defineConfig({
  test: {
    reporters: process.env.CI
      ? ['dot', './test/suite-reporter.ts']
      : ['default', './test/suite-reporter.ts'],
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'test/architecture/**/*.test.ts',
            'test/examples/**/*.test.ts',
            'test/*.test.ts',
            'bench/**/*.test.ts',
          ],
          // What takes milliseconds alone may take seconds on a busy machine.
          expect: { poll: { timeout: 30_000 } },
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...shared,
        test: {
          name: 'packaging',
          include: ['test/packaging/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          retry,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/{cluster,contract,e2e}/**/*.e2e.test.ts'],
          globalSetup: ['test/cluster/global-setup.ts', 'test/object-stores/global-setup.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 4,
          retry,
          sequence: { groupOrder: 2 },
        },
      },
      {
        ...shared,
        test: {
          name: 'disruptive',
          include: ['test/{cluster,e2e}/**/*.disruptive.test.ts'],
          globalSetup: ['test/cluster/global-setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          maxWorkers: 1,
          retry,
          sequence: { groupOrder: 3 },
        },
      },
      {
        ...shared,
        test: {
          name: 'object-stores',
          include: ['test/object-stores/**/*.test.ts'],
          expect: { poll: { timeout: 30_000 } },
          globalSetup: ['test/object-stores/global-setup.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          retry,
          sequence: { groupOrder: 4 },
        },
      },
      {
        ...shared,
        test: {
          name: 'interop',
          include: ['test/interop/**/*.interop.test.ts'],
          globalSetup: ['test/cluster/global-setup.ts', 'test/interop/global-setup.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
          // They mostly wait for Velero to look into its bucket.
          maxWorkers: 4,
          retry,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
});
