// What an ECMAScript module application gets from the installed packages, printed as one JSON object: what it sees of them,
// and how the demo ends there.
import * as core from '@lifeboat/core';
import * as kubernetes from '@lifeboat/core/kubernetes';
import * as testing from '@lifeboat/core/testing';
import { createFakeTarget } from './demo/fake-target.ts';
import { runDemo } from './demo/run-demo.ts';

const entryPoints = {
  '@lifeboat/core': core,
  '@lifeboat/core/kubernetes': kubernetes,
  '@lifeboat/core/testing': testing,
};
for (const name of ['@lifeboat/storage-azure', '@lifeboat/storage-gcs', '@lifeboat/storage-s3']) {
  entryPoints[name] = await import(name);
}

const cluster = createFakeTarget();
const store = new core.FileSystemObjectStore({ directory: 'backups' });
const { podExec } = cluster;
const demo = await runDemo({ cluster, podExec, store, namespace: 'demo', say: console.error });
await cluster.close();

console.log(
  JSON.stringify({
    node: process.version,
    exports: Object.entries(entryPoints).map(([name, module]) => [
      name,
      Object.keys(module).sort(),
    ]),
    demo,
  }),
);
