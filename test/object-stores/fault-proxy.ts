import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** An answer that the proxy gives itself. */
export interface ProxyAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
}

/** A TCP proxy on 127.0.0.1 in front of a server that breaks connections on order. Without an order it passes everything on. */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:<port>`. */
  readonly endpoint: string;
  /** How many requests have come in. */
  readonly requests: number;
  /** Connections that are open to the proxy. */
  readonly openConnections: number;
  /** Answers the next requests itself; the server does not see them. */
  answer(answer: ProxyAnswer, times?: number): void;
  /** Resets a connection once, when so many bytes from now on have gone to the server. */
  resetAfterSending(bytes: number): void;
  /** Lets nothing more through to the client once so many bytes from now on have come back, until {@link FaultProxy.heal}. */
  stallAfterReceiving(bytes: number): void;
  /** Resets a connection once, when so many bytes from now on have come back. */
  resetAfterReceiving(bytes: number): void;
  /** Takes back every order, and lets go what was held up. */
  heal(): void;
}

interface Orders {
  answers: ProxyAnswer[];
  sendLeft: number;
  stallLeft: number;
  receiveLeft: number;
}

const none = Number.POSITIVE_INFINITY;
const requestLine = /^[A-Z]+ \S+ HTTP\/1\.1\r\n/;

/** Starts a proxy in front of a server on 127.0.0.1. */
export async function startFaultProxy(serverPort: number): Promise<FaultProxy> {
  const orders: Orders = { answers: [], sendLeft: none, stallLeft: none, receiveLeft: none };
  const clients = new Set<Socket>();
  const upstreams = new Set<Socket>();
  let requests = 0;

  const listener = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    track(client, clients);
    track(upstream, upstreams);
    let isAnswered = false;
    client.on('data', (chunk) => {
      const isRequest = requestLine.test(chunk.toString('latin1'));
      requests += isRequest ? 1 : 0;
      const answer = isRequest ? orders.answers.shift() : undefined;
      isAnswered ||= answer !== undefined;
      if (answer !== undefined) client.end(httpText(answer));
      if (isAnswered) return;
      orders.sendLeft -= chunk.byteLength;
      if (orders.sendLeft < 0) {
        orders.sendLeft = none;
        client.resetAndDestroy();
      } else {
        passOn(chunk, client, upstream);
      }
    });
    upstream.on('data', (chunk) => {
      orders.stallLeft -= chunk.byteLength;
      orders.receiveLeft -= chunk.byteLength;
      if (orders.receiveLeft < 0) {
        orders.receiveLeft = none;
        client.resetAndDestroy();
      } else {
        passOn(chunk, upstream, client, () => orders.stallLeft >= 0);
        if (orders.stallLeft < 0) upstream.pause();
      }
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => {
      if (!isAnswered) client.destroy();
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const heal = (): void => {
    Object.assign(orders, { answers: [], sendLeft: none, stallLeft: none, receiveLeft: none });
    for (const upstream of upstreams) upstream.resume();
  };
  return {
    port,
    endpoint: `http://127.0.0.1:${port}`,
    get requests() {
      return requests;
    },
    get openConnections() {
      return clients.size;
    },
    answer: (answer, times = 1) => {
      orders.answers.push(...Array.from({ length: times }, () => answer));
    },
    resetAfterSending: (bytes) => {
      orders.sendLeft = bytes;
    },
    stallAfterReceiving: (bytes) => {
      orders.stallLeft = bytes;
    },
    resetAfterReceiving: (bytes) => {
      orders.receiveLeft = bytes;
    },
    heal,
    async [Symbol.asyncDispose]() {
      for (const socket of [...clients, ...upstreams]) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

function track(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  // A broken connection ends in an error on both sides; that is what the proxy is for.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => sockets.delete(socket));
}

/** Passes a chunk on; a receiver that is full holds the sender up until it has room, and then until the sender may go on. */
function passOn(chunk: Buffer, from: Socket, to: Socket, mayGoOn = (): boolean => true): void {
  if (!to.write(chunk)) {
    from.pause();
    to.once('drain', () => {
      if (mayGoOn()) from.resume();
    });
  }
}

function httpText({ status, headers = {}, body = '' }: ProxyAnswer): string {
  const lines = Object.entries({
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Ordered\r\n${lines.join('')}\r\n${body}`;
}
