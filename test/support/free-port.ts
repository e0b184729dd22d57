import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what systems give to whoever asks for any port; ten thousand above each is free for the bus of a Redis cluster. */
const PORTS = [12_000, 22_000] as const;

/**
 * Returns a port of this machine that nobody listens on now, for a process that has to be told one. No other socket gets it by chance
 * meanwhile: it is not among those that systems hand out.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...PORTS);
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
