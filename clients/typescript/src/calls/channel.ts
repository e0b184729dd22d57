import type { Transport } from '@connectrpc/connect';

/** Where the calls of a client go. */
export interface Channel {
  /** How many gateways it knows. */
  readonly size: number;
  /** Names and values of headers that every call bears. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Gives the way to the next gateway that can be reached. Rejects with UNAVAILABLE where none can. Once the signal is aborted,
   * nobody waits for it.
   */
  pick(signal: AbortSignal): Promise<Transport>;
  /** Makes the header that tells the server how long it has, in whole milliseconds. */
  deadlineHeader(remainingMs: number): readonly [name: string, value: string];
  /** Ends all calls and connections for good. */
  close(): void;
}
