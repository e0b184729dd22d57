import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** A way to a server that takes time: `node relay.ts PORT TO_PORT DELAY_MS` passes on what it hears so much later, each way. */
const [port, target, delayMs] = process.argv.slice(2).map(Number);

function passOn(from: Socket, to: Socket): void {
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), delayMs));
  from.on('end', () => setTimeout(() => to.end(), delayMs));
  from.on('error', () => to.destroy());
  from.on('close', () => setTimeout(() => to.destroy(), delayMs));
}

createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
  const far = connect({ port: target ?? 0, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  passOn(near, far);
  passOn(far, near);
}).listen(port, '127.0.0.1');
