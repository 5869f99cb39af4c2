import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { violationsOf } from './layer-rule.ts';

const sourceRoot = join(import.meta.dirname, '../../packages/core/src');

describe('the layer rule', () => {
  it.each([
    { path: 'model/labels.ts', text: `import { a } from './phase.ts';` },
    { path: 'ports/cluster.ts', text: `import type { A } from '../model/kubernetes.ts';` },
    { path: 'backup/actions/pod.ts', text: `import { a } from '../../snapshot/snapshotter.ts';` },
    { path: 'engine/create-engine.ts', text: `import { a } from '../restore/run-restore.ts';` },
    { path: 'index.ts', text: `export { a } from './engine/create-engine.ts';` },
    { path: 'testing/fake-cluster.ts', text: `import { a } from '../stores/memory.ts';` },
    { path: 'backup/run-backup.test.ts', text: `import { a } from '../testing/fake-cluster.ts';` },
    { path: 'backup/bench-fixture.ts', text: `import { a } from '../testing/fake-cluster.ts';` },
    { path: 'kubernetes/transport.ts', text: `import { request } from 'undici';` },
  ])('accepts $text in $path', ({ path, text }) => {
    expect(violationsOf({ path, text })).toEqual([]);
  });

  it.each([
    ['an outer layer', 'model/labels.ts', `import { a } from '../errors.ts';`],
    [
      'an outer layer, as a type',
      'ports/clock.ts',
      `import type { A } from '../stores/memory.ts';`,
    ],
    ['an outer layer, re-exported', 'ports/clock.ts', `export { a } from '../engine/defaults.ts';`],
    ['an outer layer, on demand', 'ports/clock.ts', `const a = await import('../engine/a.ts');`],
    ['a neighbour', 'backup/run-backup.ts', `import { a } from '../restore/plan.ts';`],
    ['a leaf', 'engine/create-engine.ts', `import { a } from '../kubernetes/connect.ts';`],
    ['a leaf, in the index', 'index.ts', `export { a } from './testing/fake-cluster.ts';`],
    [
      'a layer beyond its sight, in a leaf',
      'kubernetes/a.ts',
      `import { a } from '../catalog/a.ts';`,
    ],
    ['an outer layer, in a test', 'model/a.test.ts', `import { a } from '../engine/a.ts';`],
    [
      'another package by path',
      'model/a.ts',
      `import { a } from '../../../storage-s3/src/index.ts';`,
    ],
    ['support for tests', 'snapshot/a.ts', `import { a } from './bench-fixture.ts';`],
    ['a package outside its home', 'restore/a.ts', `import { request } from 'undici';`],
    ['a package in the model', 'model/a.ts', `import { readFileSync } from 'node:fs';`],
    ['any layer, in a folder that is none', 'shared/a.ts', `import { a } from '../model/a.ts';`],
  ])('refuses an import of %s', (_what, path, text) => {
    expect(violationsOf({ path, text })).toEqual([expect.stringContaining(path)]);
  });

  it.each([
    'internal/utils.ts',
    'helpers/a.ts',
    'model/types.ts',
    'common/a.ts',
    'model/camelCase.ts',
  ])('refuses the name %s', (path) => {
    expect(violationsOf({ path, text: '' })).toEqual([expect.stringContaining(path)]);
  });

  it('refuses a source file of more than 300 lines', () => {
    const text = 'export {};\n'.repeat(301);
    expect(violationsOf({ path: 'model/a.ts', text })).toEqual([
      expect.stringContaining('301 lines'),
    ]);
  });
});

describe('packages/core/src', () => {
  it('keeps the layer rule', () => {
    const paths = readdirSync(sourceRoot, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.ts'),
    );
    expect(paths.length).toBeGreaterThan(0);
    const violations = paths.flatMap((path) =>
      violationsOf({ path, text: readFileSync(join(sourceRoot, path), 'utf8') }),
    );
    expect(violations).toEqual([]);
  });
});
