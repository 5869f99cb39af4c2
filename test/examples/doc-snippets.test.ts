import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const pages = ['README.md', 'packages/core/README.md', 'docs/**/*.md'];

/** The TypeScript of a page: its blocks in order, as one module, since a reader types them one after another. */
async function moduleOf(page: string): Promise<string> {
  const text = await readFile(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, block = '']) => block);
  return blocks.length === 0 ? '' : `${blocks.join('\n')}\nexport {};\n`;
}

async function modules(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for await (const page of glob(pages, { cwd: root })) {
    const source = await moduleOf(page);
    if (source !== '') {
      found.set(join(root, `${page}.ts`), source);
    }
  }
  return found;
}

/** What the compiler, with the settings of the workspace, has to say about modules that lie in memory. */
function compile(sources: ReadonlyMap<string, string>): readonly string[] {
  const config = ts.getParsedCommandLineOfConfigFile(join(root, 'tsconfig.json'), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
    },
  });
  const onDisk = ts.createCompilerHost(config?.options ?? {});
  const host: ts.CompilerHost = {
    ...onDisk,
    fileExists: (name) => sources.has(name) || onDisk.fileExists(name),
    readFile: (name) => sources.get(name) ?? onDisk.readFile(name),
    getSourceFile: (name, options) => {
      const text = sources.get(name);
      return text === undefined
        ? onDisk.getSourceFile(name, options)
        : ts.createSourceFile(name, text, options);
    },
  };
  const program = ts.createProgram([...sources.keys()], config?.options ?? {}, host);
  return [...sources.keys()].flatMap((name) => {
    const file = program.getSourceFile(name);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText, start }) => {
        const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
        const text = sources.get(name)?.split('\n')[line] ?? '';
        return `${name}: ${text.trim()}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      },
    );
  });
}

it('every TypeScript block of the documentation compiles', { timeout: 300_000 }, async () => {
  const sources = await modules();
  expect([...sources.keys()]).toContain(join(root, 'README.md.ts'));
  expect(compile(sources)).toEqual([]);
});

it('a block that does not compile is found', { timeout: 300_000 }, () => {
  const name = join(root, 'wrong.md.ts');
  const source = "import { createEngine } from '@lifeboat/core';\ncreateEngine(1);\n";
  expect(compile(new Map([[name, source]]))).toEqual([expect.stringContaining('createEngine(1);')]);
});

it('every link between pages leads somewhere', async () => {
  const broken: string[] = [];
  for await (const page of glob(['*.md', 'packages/*/README.md', 'docs/**/*.md'], { cwd: root })) {
    const text = await readFile(join(root, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(((?!https?:)[^)\s]+)\)/g)) {
      const problem = await problemOf(page, target);
      if (problem !== undefined) {
        broken.push(`${page}: ${target}: ${problem}`);
      }
    }
  }
  expect(broken).toEqual([]);
});

async function problemOf(page: string, link: string): Promise<string | undefined> {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? join(root, page) : join(root, page, '..', path);
  if (!ts.sys.fileExists(target) && !ts.sys.directoryExists(target)) {
    return 'there is no such file';
  }
  if (anchor === undefined) {
    return undefined;
  }
  const text = await readFile(target, 'utf8');
  const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
  return anchors.includes(anchor) ? undefined : 'the page has no such heading';
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
