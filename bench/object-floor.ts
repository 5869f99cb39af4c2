import { once } from 'node:events';
import { createGzip, type Gzip } from 'node:zlib';
import { Agent } from 'undici';

/** How to reach an API server with a client certificate. */
export interface ApiServer {
  readonly url: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** Takes the archive. */
export type Sink = (body: AsyncIterable<Uint8Array>) => Promise<void>;

/** What {@link backUpBarely} reads. */
export interface BareSelection {
  readonly namespaces: readonly string[];
  /** Of the core group. */
  readonly resources: readonly string[];
}

interface Page {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly object[];
}

const pageSize = 500;
const blockBytes = 512;

/**
 * What no backup can do without: reads every page over one pool of connections, parses it, and compresses the bytes of a tar that has
 * each object twice behind a header. The headers are blank, no object is looked at, and nothing is digested. Resolves with the
 * number of objects.
 */
export async function backUpBarely(
  { url, tls }: ApiServer,
  { namespaces, resources }: BareSelection,
  sink: Sink,
): Promise<number> {
  await using agent = disposable(new Agent({ connect: { ...tls } }));
  const gzip = createGzip();
  const written = sink(gzip);
  let objects = 0;
  for (const resource of resources) {
    for (const namespace of namespaces) {
      const path = `/api/v1/namespaces/${namespace}/${resource}?limit=${pageSize}`;
      for (let token: string | undefined = ''; token !== undefined; ) {
        const page = await readPage(agent.dispatcher, url, `${path}${token}`);
        for (const item of page.items) {
          await writeTwice(gzip, Buffer.from(JSON.stringify(item)));
        }
        objects += page.items.length;
        const { continue: next = '' } = page.metadata;
        token = next === '' ? undefined : `&continue=${next}`;
      }
    }
  }
  gzip.end(Buffer.alloc(2 * blockBytes));
  await written;
  return objects;
}

async function readPage(dispatcher: Agent, origin: string, path: string): Promise<Page> {
  const { statusCode, body } = await dispatcher.request({ origin, path, method: 'GET' });
  if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${await body.text()}`);
  return JSON.parse(await body.text()) as Page;
}

async function writeTwice(gzip: Gzip, content: Buffer): Promise<void> {
  const padding = (blockBytes - (content.byteLength % blockBytes)) % blockBytes;
  const entry = Buffer.concat([Buffer.alloc(blockBytes), content, Buffer.alloc(padding)]);
  if (!gzip.write(Buffer.concat([entry, entry]))) {
    await once(gzip, 'drain');
  }
}

function disposable(dispatcher: Agent): AsyncDisposable & { readonly dispatcher: Agent } {
  return { dispatcher, [Symbol.asyncDispose]: () => dispatcher.close() };
}
