import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { JsonObject, ManifestMeta } from '@lifeboat/core';
import { Agent } from 'undici';
import type { ApiServer, BareSelection } from './object-floor.ts';

/** A request that creates an object. */
export interface BarePost {
  readonly path: string;
  readonly body: Buffer;
}

interface ArchivedObject {
  readonly path: string;
  readonly content: Buffer;
}

interface ArchivedManifest extends JsonObject {
  readonly metadata: ManifestMeta & JsonObject;
}

const blockBytes = 512;
const unpack = promisify(gunzip);

/**
 * The requests of a restore of one archive into other namespaces: first the namespaces, then the objects, as a restore sends them,
 * without what the server sets.
 *
 * @param most takes this many objects, spread over the archive
 */
export async function readBarePosts(
  archivePath: string,
  { resources }: BareSelection,
  mapping: Readonly<Record<string, string>>,
  most: number = Infinity,
): Promise<readonly BarePost[]> {
  const labels = { 'velero.io/backup-name': 'bench', 'velero.io/restore-name': 'bench' };
  const objects = objectsOf(await unpack(await readFile(archivePath)));
  const posts = objects.flatMap(({ path, content }) => {
    const [, resource = '', , from = ''] = path.split('/');
    const namespace = mapping[from];
    if (namespace === undefined || !resources.includes(resource)) return [];
    const { metadata, ...manifest } = JSON.parse(content.toString()) as ArchivedManifest;
    const { name, annotations } = metadata;
    const created = { name, namespace, annotations, labels: { ...metadata.labels, ...labels } };
    const body = Buffer.from(JSON.stringify({ ...manifest, metadata: created }));
    return [{ path: `/api/v1/namespaces/${namespace}/${resource}`, body }];
  });
  const step = Math.max(1, posts.length / most);
  const chosen = Array.from(
    { length: Math.min(most, posts.length) },
    (_, index) => posts[Math.floor(index * step)] as BarePost,
  );
  return [...Object.values(mapping).map(namespacePost), ...chosen];
}

/** What no restore can do without: sends each body, some at a time over as many connections. Resolves with the number of objects. */
export async function createBarely(
  { url, tls }: ApiServer,
  posts: readonly BarePost[],
  concurrency: number,
): Promise<number> {
  const agent = new Agent({ connect: { ...tls }, connections: concurrency, allowH2: false });
  const namespaces = posts.filter(({ path }) => path === '/api/v1/namespaces');
  const objects = posts.slice(namespaces.length);
  await sendAll(agent, url, namespaces, concurrency);
  await sendAll(agent, url, objects, concurrency);
  await agent.close();
  return objects.length;
}

/**
 * What no restore onto equal objects can do without: reads every live object, page by page, and parses it; unpacks the archive
 * meanwhile, and parses each of its objects once. Compares nothing. Resolves with the number of objects in the archive.
 */
export async function compareBarely(
  server: ApiServer,
  archivePath: string,
  { resources }: BareSelection,
  namespaces: readonly string[],
): Promise<number> {
  const [objects] = await Promise.all([
    parseArchive(archivePath),
    listBarely(server, { namespaces, resources }),
  ]);
  return objects;
}

async function parseArchive(archivePath: string): Promise<number> {
  const objects = objectsOf(await unpack(await readFile(archivePath)));
  for (const { content } of objects) {
    JSON.parse(content.toString());
  }
  return objects.length;
}

/** The objects of a tar, each once, without those of the folders of versions. */
function objectsOf(tar: Buffer): readonly ArchivedObject[] {
  const objects: ArchivedObject[] = [];
  for (let at = 0; at + blockBytes < tar.byteLength && tar[at] !== 0; ) {
    const path = fieldOf(tar, at, 100);
    const size = Number.parseInt(fieldOf(tar, at + 124, 12), 8);
    const start = at + blockBytes;
    if (/^resources\/[^/]+\/(?:namespaces|cluster)\//.test(path)) {
      objects.push({ path, content: tar.subarray(start, start + size) });
    }
    at = start + Math.ceil(size / blockBytes) * blockBytes;
  }
  return objects;
}

function fieldOf(tar: Buffer, start: number, length: number): string {
  const field = tar.toString('latin1', start, start + length);
  const end = field.indexOf('\0');
  return end === -1 ? field : field.slice(0, end);
}

function namespacePost(name: string): BarePost {
  const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  return { path: '/api/v1/namespaces', body: Buffer.from(JSON.stringify(manifest)) };
}

async function sendAll(
  agent: Agent,
  origin: string,
  posts: readonly BarePost[],
  concurrency: number,
): Promise<void> {
  const waiting = posts.values();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const post of waiting) {
        await send(agent, origin, post);
      }
    }),
  );
}

async function send(agent: Agent, origin: string, { path, body }: BarePost): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await agent.request({ origin, path, method: 'POST', headers, body });
  const text = await answer.body.text();
  // A controller makes kube-root-ca.crt in every namespace.
  const isThere = answer.statusCode === 409 && text.includes('kube-root-ca.crt');
  if (answer.statusCode !== 201 && !isThere) throw new Error(`${answer.statusCode} ${text}`);
}

async function listBarely(
  { url, tls }: ApiServer,
  { namespaces, resources }: BareSelection,
): Promise<void> {
  const agent = new Agent({ connect: { ...tls }, allowH2: false });
  for (const resource of resources) {
    for (const namespace of namespaces) {
      await listOne(agent, url, `/api/v1/namespaces/${namespace}/${resource}?limit=500`);
    }
  }
  await agent.close();
}

async function listOne(agent: Agent, origin: string, path: string): Promise<void> {
  for (let token: string | undefined = ''; token !== undefined; ) {
    const { statusCode, body } = await agent.request({
      ...{ origin, path: `${path}${token}`, method: 'GET' },
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${text}`);
    const page = JSON.parse(text) as { readonly metadata: { readonly continue?: string } };
    const { continue: next = '' } = page.metadata;
    token = next === '' ? undefined : `&continue=${next}`;
  }
}
