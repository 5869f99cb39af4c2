import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, KubeConfig, type User } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { isSameIdentity, RequestCredentials } from './request-credentials.ts';

const cluster: Cluster = { name: 'one', server: 'https://one.example.com', skipTLSVerify: false };

describe('RequestCredentials', () => {
  it.each([
    ['a token', { token: 'abc' }, { Authorization: 'Bearer abc' }],
    [
      'basic authentication',
      { username: 'me', password: 'pw' },
      { Authorization: 'Basic bWU6cHc=' },
    ],
    [
      'an impersonated user',
      { token: 'abc', impersonateUser: 'x' },
      { Authorization: 'Bearer abc', 'Impersonate-User': 'x' },
    ],
    ['nothing', {}, {}],
  ])('%s becomes headers', async (_name, user, headers) => {
    const credentials = new RequestCredentials(configOf(user), undefined);
    expect((await credentials.forRequest()).headers).toEqual(headers);
  });

  it('client certificates become the TLS identity', async () => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const kubeConfig = configOf(
      { certData: base64('cert'), keyData: base64('key') },
      { caData: base64('ca'), tlsServerName: 'api', skipTLSVerify: true },
    );
    const { tls } = await new RequestCredentials(kubeConfig, undefined).forRequest();
    expect(tls).toEqual({
      ca: 'ca',
      cert: 'cert',
      key: 'key',
      servername: 'api',
      rejectUnauthorized: false,
    });
  });

  it('the newline at the end of a token file does not reach the header', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lifeboat-token-'));
    try {
      const tokenFile = join(directory, 'token');
      await writeFile(tokenFile, 'from-file\n');
      const kubeConfig = configOf({ authProvider: { name: 'tokenFile', config: { tokenFile } } });
      const { headers } = await new RequestCredentials(kubeConfig, undefined).forRequest();
      expect(headers).toEqual({ Authorization: 'Bearer from-file' });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('an exec plugin is run once for several requests', async () => {
    const status = { token: 'from-plugin', expirationTimestamp: '2999-01-01T00:00:00Z' };
    const credential = JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status,
    });
    const directory = await mkdtemp(join(tmpdir(), 'lifeboat-plugin-'));
    try {
      const log = join(directory, 'log');
      const script = `require('fs').appendFileSync(${JSON.stringify(log)}, 'x'); console.log(${JSON.stringify(credential)})`;
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: process.execPath,
        args: ['-e', script],
      };
      const credentials = new RequestCredentials(configOf({ exec }), undefined);
      await credentials.forRequest();
      const { headers } = await credentials.forRequest();
      expect(headers).toEqual({ Authorization: 'Bearer from-plugin' });
      expect(await readFile(log, 'utf8')).toBe('x');
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('a later setCurrentContext does not send one cluster the credentials of another', async () => {
    const kubeConfig = twoContexts();
    const credentials = new RequestCredentials(kubeConfig, undefined);
    kubeConfig.setCurrentContext('two');
    expect(credentials.cluster.server).toBe('https://one.example.com');
    expect((await credentials.forRequest()).headers).toEqual({ Authorization: 'Bearer one' });
  });

  it('a context can be chosen by name', async () => {
    const credentials = new RequestCredentials(twoContexts(), 'two');
    expect(credentials.cluster.server).toBe('https://two.example.com');
    expect((await credentials.forRequest()).headers).toEqual({ Authorization: 'Bearer two' });
  });

  it.each([
    [
      'a missing context',
      () => new RequestCredentials(twoContexts(), 'three'),
      /"three".*"one","two"/,
    ],
    [
      'an empty KubeConfig',
      () => new RequestCredentials(new KubeConfig(), undefined),
      /no context/,
    ],
    [
      'plain HTTP',
      () => new RequestCredentials(configOf({}, { server: 'http://x' }), undefined),
      /plain HTTP/,
    ],
    [
      'a proxy of another kind, whose password is not told',
      () => new RequestCredentials(configOf({}, { proxyUrl: 'ftp://me:s3cret@x' }), undefined),
      /^(?!.*s3cret).*no address of a proxy/,
    ],
    [
      'a proxy without a scheme',
      () => new RequestCredentials(configOf({}, { proxyUrl: 'proxy' }), undefined),
      /no address of a proxy/,
    ],
  ])('%s is InvalidConfig', (_name, create, message) => {
    expect(create).toThrow(expect.objectContaining({ code: 'InvalidConfig' }));
    expect(create).toThrow(message);
  });
});

describe('isSameIdentity', () => {
  const identity = { ca: 'a', cert: 'b', key: 'c', servername: 'd', rejectUnauthorized: true };
  it.each(Object.keys(identity))('a change of %s is another identity', (field) => {
    expect(isSameIdentity(identity, { ...identity })).toBe(true);
    expect(isSameIdentity(identity, { ...identity, [field]: 'changed' })).toBe(false);
  });
});

function configOf(user: Partial<User>, overrides: Partial<Cluster> = {}): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser({ ...cluster, ...overrides }, { name: 'me', ...user });
  return kubeConfig;
}

function twoContexts(): KubeConfig {
  const names = ['one', 'two'];
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: names.map((name) => ({ ...cluster, name, server: `https://${name}.example.com` })),
    users: names.map((name) => ({ name, token: name })),
    contexts: names.map((name) => ({ name, cluster: name, user: name })),
    currentContext: 'one',
  });
  return kubeConfig;
}
