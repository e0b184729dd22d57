import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be made slow, silent or short. */
export interface SlowRoad {
  readonly port: number;
  /** What the server says from now on waits for it, in its order. */
  held: Promise<void> | undefined;
  /** Whether what the server says from now on is lost. */
  isMute: boolean;
  /** To which port new connections lead. */
  target: number;
  /** Breaks all connections. */
  cut(): void;
  close(): void;
}

/** Opens a way to a port of this machine. */
export async function openSlowRoad(target: number): Promise<SlowRoad> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(road.target, '127.0.0.1');
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (data) => upstream.write(data));
    let before: Promise<unknown> = Promise.resolve();
    upstream.on('data', (data) => {
      if (road.isMute) return;
      before = Promise.all([before, road.held]).then(() => client.writable && client.write(data));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const road: SlowRoad = {
    port: address.port,
    held: undefined,
    isMute: false,
    target,
    cut,
    close: () => {
      server.close();
      cut();
    },
  };
  return road;
}
