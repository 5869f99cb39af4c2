// What a CommonJS application sees of the installed packages, printed as one JSON object.
const names = [
  '@lifeboat/core',
  '@lifeboat/core/kubernetes',
  '@lifeboat/core/testing',
  '@lifeboat/storage-azure',
  '@lifeboat/storage-gcs',
  '@lifeboat/storage-s3',
];
console.log(
  JSON.stringify({
    node: process.version,
    exports: names.map((name) => [name, Object.keys(require(name)).sort()]),
  }),
);
