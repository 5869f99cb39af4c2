import { expect, it } from 'vitest';
import { accessKeyOf } from './credentials-file.ts';

const file = `
# a comment
[default]
aws_access_key_id = minio
aws_secret_access_key=minio/123+=

[profile other]\r
AWS_ACCESS_KEY_ID=a\r
aws_secret_access_key = b
aws_session_token = c
region = nowhere

[half]
aws_access_key_id = a
aws_secret_access_key =
`;

it.each([
  ['default', { accessKeyId: 'minio', secretAccessKey: 'minio/123+=' }],
  ['other', { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' }],
  ['half', undefined],
  ['missing', undefined],
])('finds the access key of the profile %s', (profile, accessKey) => {
  expect(accessKeyOf(file, profile)).toEqual(accessKey);
});

it('finds nothing in what is no credentials file', () => {
  for (const text of [
    '',
    '{"type": "service_account"}',
    'aws_access_key_id = outside of a section',
  ]) {
    expect(accessKeyOf(text, 'default')).toBeUndefined();
  }
});
