import type { Server } from 'node:http';

import type { Address } from '../../core/address.ts';
import { formatAddress, parseAddress } from '../../core/address.ts';

/** Reads where to listen. Throws a RangeError that names the text where it is no `host:port`. */
export function addressToBind(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new RangeError(`"${text}" is not an address of the form host:port`);
  return address;
}

/** Makes an HTTP server listen on `host:port` and returns the bound address. Rejects where it cannot be bound. */
export function listenHttp(server: Server, address: string): Promise<string> {
  const { host, port } = addressToBind(address);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const bound = server.address();
      if (bound === null || typeof bound === 'string') reject(new Error('the server does not listen on a port'));
      else resolve(formatAddress({ host, port: bound.port }));
    });
  });
}

/** Closes an HTTP server and all its connections, whatever they are doing. */
export function closeHttp(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
