import type { Door } from '../calls/doors.ts';
import type { Ask, Reply } from './guard.ts';

/** A process under load. */
export interface ServerProcess {
  readonly name: string;
  readonly port: number;
  /** What is spoken at the port. */
  readonly door: Door;
  /** Headers that a call to it needs. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Where a gateway has its metrics. */
  readonly adminPort?: number | undefined;
  /** Names of the targets of a gateway that has many. */
  readonly targets?: readonly string[] | undefined;
  /** Of the web door, where it has one. */
  readonly webPort?: number;
  /** Asks the process; see guard.ts. Rejects where it has ended. */
  ask(ask: Ask): Promise<Reply>;
}
