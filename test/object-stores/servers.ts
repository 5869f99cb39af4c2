import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildGoCommand, installNpmPackage } from './build-server.ts';
import { cachePath, isRunning } from './cached-folder.ts';
import { startServer } from './server-process.ts';

/** An S3 server: versitygw, with versioning and object lock. */
export interface S3Server {
  readonly port: number;
  /** `http://127.0.0.1:<port>`, for path-style requests. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A Google Cloud Storage server: fake-gcs-server. It checks neither credentials nor signatures. */
export interface GcsServer {
  readonly port: number;
  readonly endpoint: string;
  readonly projectId: string;
}

/** An Azure Blob Storage server: azurite. */
export interface AzureServer {
  readonly port: number;
  /** With the account: `http://127.0.0.1:<port>/devstoreaccount1`. */
  readonly endpoint: string;
  readonly accountName: string;
  readonly accountKey: string;
  readonly connectionString: string;
}

/** A server of this run; disposing of it ends the server. */
export interface StartedServer<Server> extends AsyncDisposable {
  readonly server: Server;
}

type Report = (line: string) => void;

const accountName = 'devstoreaccount1';
// The account that every azurite has: public, and of no use elsewhere.
const accountKey =
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export async function startS3Server(report: Report): Promise<StartedServer<S3Server>> {
  const command = await buildGoCommand(
    {
      name: 'versitygw',
      packagePath: 'github.com/versity/versitygw/cmd/versitygw',
      version: 'v1.8.0',
    },
    report,
  );
  const folder = await runFolder();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'testsecret' };
  const [data, versions] = [join(folder, 'data'), join(folder, 'versions')];
  await mkdir(data);
  await mkdir(versions);
  const running = await startServer((port) => ({
    name: 'versitygw',
    command,
    args: [
      ...['--port', `127.0.0.1:${port}`, '--quiet'],
      ...['posix', '--versioning-dir', versions, data],
    ],
    environment: {
      ROOT_ACCESS_KEY: credentials.accessKeyId,
      ROOT_SECRET_KEY: credentials.secretAccessKey,
    },
  }));
  const { port } = running;
  return {
    server: { port, endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', ...credentials },
    [Symbol.asyncDispose]: async () => {
      await running[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function startGcsServer(report: Report): Promise<StartedServer<GcsServer>> {
  const command = await buildGoCommand(
    {
      name: 'fake-gcs-server',
      packagePath: 'github.com/fsouza/fake-gcs-server',
      version: 'v1.56.1',
    },
    report,
  );
  const running = await startServer((port) => ({
    name: 'fake-gcs-server',
    command,
    args: [
      ...['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-backend', 'memory'],
      ...['-external-url', `http://127.0.0.1:${port}`, '-public-host', `127.0.0.1:${port}`],
      ...['-log-level', 'warn'],
    ],
  }));
  const { port } = running;
  return {
    server: { port, endpoint: `http://127.0.0.1:${port}`, projectId: 'test' },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

export async function startAzureServer(report: Report): Promise<StartedServer<AzureServer>> {
  const modules = await installNpmPackage('azurite', '3.37.0', report);
  const running = await startServer((port) => ({
    name: 'azurite',
    command: process.execPath,
    args: [
      join(modules, 'azurite/dist/src/blob/main.js'),
      ...['--blobHost', '127.0.0.1', '--blobPort', String(port), '--silent'],
      // The client speaks a version of the API that this azurite does not know yet, and uses nothing of it.
      ...['--skipApiVersionCheck', '--disableTelemetry', '--inMemoryPersistence'],
    ],
  }));
  const { port } = running;
  const endpoint = `http://127.0.0.1:${port}/${accountName}`;
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${accountName};AccountKey=${accountKey};BlobEndpoint=${endpoint};`;
  return {
    server: { port, endpoint, accountName, accountKey, connectionString },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** A folder for the files of this run, in the cache: the temporary folder may lack the extended attributes versitygw needs. */
async function runFolder(): Promise<string> {
  await mkdir(cachePath, { recursive: true });
  for (const name of await readdir(cachePath)) {
    const [, pid] = /^run-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !isRunning(Number(pid))) {
      await rm(join(cachePath, name), { recursive: true, force: true });
    }
  }
  return mkdtemp(join(cachePath, `run-${process.pid}-`));
}
