/** The doors of the gateway that are loaded: gRPC at one port, Connect over HTTP/1.1 at another. */
export const DOORS = ['grpc', 'connect-json', 'connect-proto'] as const;

/** How the generator calls a server. Providers, and other gateways, speak Chat Completions over HTTP/1.1. */
export type Door = (typeof DOORS)[number] | 'completions';

/** Calls of one kind over open connections. */
export interface Calls {
  /** How many connections there are. */
  readonly connections: number;
  /**
   * Makes a call, and resolves with the number of messages that came. Rejects where it did not end well or with another number than it
   * should.
   *
   * @param onAnswer is given the bytes of the answer, frames and all; where it is absent, they are not kept
   */
  call(onAnswer?: (bytes: Buffer) => void): Promise<number>;
  close(): void;
}
