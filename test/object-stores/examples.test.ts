import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { objectStoreServer, serverUnavailable } from './object-store-server.ts';
import { createS3Bucket } from './s3-bucket.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, '../../examples/check-bucket.ts');

/** Runs the example as a user does; rejects unless it exits with 0. */
async function checkBucket(args: readonly string[], secretKey: string): Promise<string> {
  const { region, accessKeyId } = objectStoreServer('s3');
  const { stdout } = await run(
    process.execPath,
    ['--conditions=lifeboat-source', program, ...args],
    {
      env: {
        ...process.env,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretKey,
      },
    },
  );
  return stdout;
}

describe.skipIf(serverUnavailable('s3') !== undefined)('examples/check-bucket.ts', () => {
  it('finds a good bucket fit, and leaves nothing in it', async () => {
    const { endpoint, secretAccessKey } = objectStoreServer('s3');
    const bucket = await createS3Bucket();
    const output = await checkBucket([bucket.name, endpoint], secretAccessKey);
    expect(output).toContain('kept: of racing writers with ifAbsent exactly one wins');
    expect(output).toContain(`s3://${bucket.name}/ is fit to keep backups.`);
    await using store = bucket.open();
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
  });

  it('says what is wrong with another one, and exits with 1', async () => {
    const { endpoint } = objectStoreServer('s3');
    const bucket = await createS3Bucket();
    await expect(checkBucket([bucket.name, endpoint], 'wrong')).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('check the access key and the secret key') as string,
    });
  });
});
