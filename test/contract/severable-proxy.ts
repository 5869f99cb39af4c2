import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy on 127.0.0.1 whose connections can be cut. TLS passes through it unread. */
export interface SeverableProxy extends AsyncDisposable {
  readonly port: number;
  /** Resets every connection that is open; new ones are let through. */
  sever(): void;
}

/** Starts a proxy in front of a server. */
export async function startSeverableProxy(server: string): Promise<SeverableProxy> {
  const { hostname, port } = new URL(server);
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    // A cut connection ends in an error on both sides; that is what the proxy is for.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const listener = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    track(client);
    track(upstream);
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const sever = (): void => {
    for (const socket of sockets) {
      socket.resetAndDestroy();
    }
  };
  return {
    port: (listener.address() as AddressInfo).port,
    sever,
    async [Symbol.asyncDispose]() {
      sever();
      listener.close();
      await once(listener, 'close');
    },
  };
}
