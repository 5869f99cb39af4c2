/**
 * Says whether backups can be kept in a bucket of S3 or of a server that speaks its protocol, by using it.
 *
 *     node check-bucket.ts BUCKET [ENDPOINT]
 *
 * Needs Node 24 and: npm install @lifeboat/core @lifeboat/storage-s3 @aws-sdk/client-s3
 * Credentials and region are taken from the environment, as the AWS command line does: AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION, …
 * Exit code: 0 fit, 1 not fit, 2 wrong arguments.
 */
import { validateObjectStore } from '@lifeboat/core/testing';
import { S3ObjectStore } from '@lifeboat/storage-s3';

const [bucket, endpoint] = process.argv.slice(2);
if (bucket === undefined) {
  console.error('usage: node check-bucket.ts BUCKET [ENDPOINT]');
  process.exit(2);
}

// Ctrl-C ends the check, which then removes what it has written.
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));

try {
  await using store = new S3ObjectStore({
    bucket,
    clientConfig: endpoint === undefined ? {} : { endpoint, forcePathStyle: true },
  });
  const { isFit, summary } = await validateObjectStore(store, {
    signal: interrupt.signal,
    onFinding: ({ rule, outcome }) => console.log(`${outcome}: ${rule}`),
  });
  console.log(summary);
  process.exitCode = isFit ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
