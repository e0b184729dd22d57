import type { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';

import type { Timers } from '../../core/ports.ts';
import type { ClientRule } from './live-tls.ts';
import { refuseHttp1, refuseSession } from './refused-session.ts';
import { certificateFault, handshakeFault } from './certificate-fault.ts';

/** What a guard works with. */
export interface ClientGuard {
  readonly clients: ClientRule;
  readonly runtime: Pick<Timers, 'setTimer' | 'clearTimer'>;
  /** Hears why a client was refused. */
  readonly refused: (why: string) => void;
}

/**
 * Lets no connection of a client through that has not shown the certificate that it must show: the server and its handlers never hear
 * of it, and its calls are told why. Tells also of handshakes that fail. For a server that takes no connection yet; throws where
 * it is none of HTTP/2.
 */
export function guardClients(server: EventEmitter, { clients, runtime, refused }: ClientGuard): void {
  server.on('tlsClientError', (error: unknown, socket: TLSSocket) => {
    const why = handshakeFault(error, socket);
    if (why !== undefined) refused(why);
  });
  if (clients === 'any') return;
  const others = server.listeners('secureConnection');
  if (others.length === 0) throw new Error('the server does not hear of secure connections');
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    const fault = socket.authorized ? undefined : certificateFault(socket, clients);
    if (fault === undefined) {
      for (const other of others) Reflect.apply(other, server, [socket]);
      return;
    }
    refused(fault.why);
    const refuse = socket.alpnProtocol === 'h2' ? refuseSession : refuseHttp1;
    refuse(socket, fault, runtime);
  });
}
