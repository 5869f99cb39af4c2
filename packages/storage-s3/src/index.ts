/**
 * Keeps Lifeboat backups in Amazon S3 and S3-compatible object storage.
 *
 * This release reserves the package and exports nothing: the adapter follows in its own release.
 * Until then use `FileSystemObjectStore` of `@lifeboat/core`, or implement its `ObjectStore` port.
 *
 * @module
 */
export {};
