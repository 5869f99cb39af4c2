import type { TestProject } from 'vitest/node';
import { MissingPrerequisiteError } from './build-server.ts';
import {
  type AzureServer,
  type GcsServer,
  type S3Server,
  type StartedServer,
  startAzureServer,
  startGcsServer,
  startS3Server,
} from './servers.ts';

/** A server, or why there is none here. */
export type ProvidedServer<Server> =
  | { readonly available: true; readonly server: Server }
  | { readonly available: false; readonly reason: string };

/** What the tests are told of the servers; `objectStoreServer()` is how they use it. */
export interface ProvidedObjectStores {
  readonly s3: ProvidedServer<S3Server>;
  readonly gcs: ProvidedServer<GcsServer>;
  readonly azure: ProvidedServer<AzureServer>;
}

declare module 'vitest' {
  export interface ProvidedContext {
    objectStores: ProvidedObjectStores;
  }
}

const underCi = process.env['CI'] === 'true';

/**
 * Starts the three servers, building or installing them first where this machine has not done that yet.
 *
 * - a missing prerequisite: told to the tests, which then skip; with `CI=true` the run fails
 */
export default async function setUpObjectStores(
  project: TestProject,
): Promise<() => Promise<void>> {
  const started = new AsyncDisposableStack();
  const provide = async <Server>(
    start: (report: (line: string) => void) => Promise<StartedServer<Server>>,
  ): Promise<ProvidedServer<Server>> => {
    try {
      const { server } = started.use(await start(report));
      return { available: true, server };
    } catch (error) {
      if (underCi || !(error instanceof MissingPrerequisiteError)) throw error;
      report(error.message);
      return { available: false, reason: error.message };
    }
  };
  try {
    // One after the other: two builds at once would only fight for the processors.
    project.provide('objectStores', {
      s3: await provide(startS3Server),
      gcs: await provide(startGcsServer),
      azure: await provide(startAzureServer),
    });
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
  return () => started.disposeAsync();
}

function report(line: string): void {
  console.log(`object stores: ${line}`);
}
