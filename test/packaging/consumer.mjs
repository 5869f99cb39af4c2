// What an ECMAScript module application sees of the installed packages, printed as one JSON object.
import * as core from '@lifeboat/core';
import * as kubernetes from '@lifeboat/core/kubernetes';
import * as testing from '@lifeboat/core/testing';

const entryPoints = {
  '@lifeboat/core': core,
  '@lifeboat/core/kubernetes': kubernetes,
  '@lifeboat/core/testing': testing,
};
for (const name of ['@lifeboat/storage-azure', '@lifeboat/storage-gcs', '@lifeboat/storage-s3']) {
  entryPoints[name] = await import(name);
}
console.log(
  JSON.stringify({
    node: process.version,
    exports: Object.entries(entryPoints).map(([name, module]) => [
      name,
      Object.keys(module).sort(),
    ]),
  }),
);
