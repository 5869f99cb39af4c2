/**
 * Keeps Lifeboat backups in Azure Blob Storage.
 *
 * This release reserves the package and exports nothing: the adapter follows in its own release.
 * Until then use `FileSystemObjectStore` of `@lifeboat/core`, or implement its `ObjectStore` port.
 *
 * @module
 */
export {};
