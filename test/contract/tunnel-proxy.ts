import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy on 127.0.0.1 that makes tunnels to one server, whatever address it is asked for. */
export interface TunnelProxy extends AsyncDisposable {
  readonly port: number;
  /** The addresses that it was asked for, in their order: `<host>:<port>`. */
  readonly asked: readonly string[];
}

/** Options of {@link startHttpProxy}. */
export interface HttpProxyOptions {
  /** The name and the password that a client has to give: `<name>:<password>`. @default anybody is let through */
  readonly credentials?: string | undefined;
}

/** Starts a proxy of the method CONNECT (RFC 9110, section 9.3.6) in front of a server. */
export function startHttpProxy(
  server: string,
  { credentials }: HttpProxyOptions = {},
): Promise<TunnelProxy> {
  const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
  const listener = createHttpServer((_request, response) => response.writeHead(405).end());
  return startProxy(listener, (asked, track) => {
    listener.on('connect', ({ url = '', headers }, client: Socket, head: Buffer) => {
      track(client);
      asked.push(url);
      if (expected !== undefined && headers['proxy-authorization'] !== expected) {
        client.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      const upstream = connectTo(server);
      track(upstream);
      upstream.write(head);
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      join(client, upstream);
    });
  });
}

/** Starts a SOCKS proxy (RFC 1928) without authentication in front of a server. */
export function startSocksProxy(server: string): Promise<TunnelProxy> {
  const listener = createServer();
  return startProxy(listener, (asked, track) => {
    listener.on('connection', (client) => {
      track(client);
      greet(client).then(
        (address) => {
          asked.push(address);
          const upstream = connectTo(server);
          track(upstream);
          client.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
          join(client, upstream);
        },
        () => client.destroy(),
      );
    });
  });
}

/** Answers the greeting of a SOCKS client, and returns the address that it asks for. */
async function greet(client: Socket): Promise<string> {
  const read = async (size: number): Promise<Buffer> => {
    for (;;) {
      const bytes = client.read(size) as Buffer | null;
      if (bytes !== null) return bytes;
      await once(client, 'readable');
    }
  };
  const [, methods = 0] = await read(2);
  await read(methods);
  client.write(Uint8Array.of(5, 0));
  const [, , , type] = await read(4);
  const host =
    type === 3
      ? (await read((await read(1)).readUInt8())).toString()
      : Array.from(await read(4)).join('.');
  return `${host}:${(await read(2)).readUInt16BE()}`;
}

async function startProxy(
  listener: Server,
  serve: (asked: string[], track: (socket: Socket) => void) => void,
): Promise<TunnelProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  serve(asked, (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

function connectTo(server: string): Socket {
  const { hostname, port } = new URL(server);
  return connect(Number(port), hostname);
}

function join(client: Socket, upstream: Socket): void {
  client.pipe(upstream).pipe(client);
  client.on('close', () => upstream.destroy());
  upstream.on('close', () => client.destroy());
}
