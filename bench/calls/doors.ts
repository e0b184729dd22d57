/** The doors of the gateway that are loaded: gRPC at one port, Connect over HTTP/1.1 at another. */
export const DOORS = ['grpc', 'connect-json', 'connect-proto'] as const;

/** How the generator calls a server. Providers, and other gateways, speak Chat Completions over HTTP/1.1. */
export type Door = (typeof DOORS)[number] | 'completions';

/** Who is told how a call ends. */
export interface Caller {
  /** Is given the bytes of the answer, frames and all, in front of its end; where it is absent, they are not kept. */
  readonly onAnswer: ((bytes: Buffer) => void) | undefined;
  /** The call has ended well, with so many messages. */
  onEnd(messages: number): void;
  /** It has not, or with another number of messages than it should, or the caller has thrown at its answer. */
  onFailure(error: unknown): void;
}

/** Calls of one kind over open connections. */
export interface Calls {
  /** How many connections there are. */
  readonly connections: number;
  /** Makes a call. */
  call(caller: Caller): void;
  close(): void;
}
