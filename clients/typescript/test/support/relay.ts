import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Hands bytes through to a port, so that a test sees and cuts the connections of a client. */
export interface Relay {
  readonly address: string;
  /** Connections opened so far. */
  readonly opened: number;
  /** Connections that are open. */
  readonly open: number;
  /** Resolves when no connection is open. */
  whenAllClosed(): Promise<void>;
  /** Breaks every connection. */
  cut(): void;
  /** Closes every connection in order. */
  end(): void;
  close(): void;
}

/** Starts a relay to a port of the loopback. */
export async function startRelay(port: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let opened = 0;
  const server = createServer((socket) => {
    opened += 1;
    sockets.add(socket);
    const upstream = connect(port, '127.0.0.1');
    for (const [end, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      end.pipe(other);
      end.on('error', () => other.destroy());
      end.on('close', () => other.destroy());
    }
    socket.on('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) server.emit('all-closed');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the relay has no port');
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const end = (): void => {
    for (const socket of sockets) socket.end();
  };
  return {
    address: `127.0.0.1:${bound.port}`,
    get opened() {
      return opened;
    },
    get open() {
      return sockets.size;
    },
    whenAllClosed: async () => {
      if (sockets.size > 0) await once(server, 'all-closed');
    },
    cut,
    end,
    close: () => {
      server.close();
      cut();
    },
  };
}

/** Finds a port of the loopback on which nobody listens, below those that systems hand out: no other socket gets it by chance. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(22_000, 32_000);
    const server = createServer();
    const listens = once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.listen(port, '127.0.0.1');
    if (!(await listens)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
