// What a CommonJS application gets from the installed packages, printed as one JSON object: what it sees of them, and how the
// demo ends there.
const { FileSystemObjectStore } = require('@lifeboat/core');
const { createFakeTarget } = require('./demo/fake-target.ts');
const { runDemo } = require('./demo/run-demo.ts');

const names = [
  '@lifeboat/core',
  '@lifeboat/core/kubernetes',
  '@lifeboat/core/testing',
  '@lifeboat/storage-azure',
  '@lifeboat/storage-gcs',
  '@lifeboat/storage-s3',
];

async function main() {
  const cluster = createFakeTarget();
  const store = new FileSystemObjectStore({ directory: 'backups' });
  const { podExec } = cluster;
  const demo = await runDemo({ cluster, podExec, store, namespace: 'demo', say: console.error });
  await cluster.close();
  console.log(
    JSON.stringify({
      node: process.version,
      exports: names.map((name) => [name, Object.keys(require(name)).sort()]),
      demo,
    }),
  );
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
