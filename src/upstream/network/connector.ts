import { Socket } from 'node:net';

import { buildConnector } from 'undici';

/** A connection attempt under way. */
export interface Connecting {
  /** Ends it in the same turn; the attempt then fails with this error. */
  destroy(error: Error): unknown;
}

/** Opens connections for undici. The callback comes once, and not before it has returned. */
export type Connector = (options: buildConnector.Options, callback: buildConnector.Callback) => Connecting;

/**
 * Makes a connector that goes straight to where it is asked to.
 *
 * @param timeoutMs limit for DNS, TCP and TLS together, in milliseconds; 0 for none
 */
export function directConnector(timeoutMs: number): Connector {
  const connect = buildConnector({ allowH2: false, autoSelectFamily: true, timeout: timeoutMs });
  return (options, callback) => {
    // The type of undici's connector does not say that it returns the socket that it connects.
    const returned: unknown = Reflect.apply(connect, undefined, [options, callback]);
    if (returned instanceof Socket) return returned;
    throw new TypeError('The connector of undici has returned no socket.');
  };
}
