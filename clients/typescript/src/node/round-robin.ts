import type { Transport } from '@connectrpc/connect';
import type { Channel } from '../calls/channel.ts';
import { notSentError } from '../calls/not-sent.ts';
import type { Connection } from './connection.ts';

/** A gateway and the way to it. */
export interface Endpoint {
  readonly connection: Connection;
  readonly transport: Transport;
}

const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 10_000;

/** What is remembered of a gateway that could not be reached. */
interface Absence {
  readonly untilMs: number;
  readonly backoffMs: number;
}

/**
 * Gives calls to gateways in turn, over a connection to each. Those that cannot be reached are left out, and tried again
 * beside the calls after a wait that grows to 10 s. Where none is connected, all are tried at once.
 */
export class RoundRobin implements Channel {
  readonly size: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #endpoints: readonly Endpoint[];
  readonly #absences = new Map<Endpoint, Absence>();
  #next = 0;

  constructor(endpoints: readonly Endpoint[], headers: Readonly<Record<string, string>>) {
    this.#endpoints = endpoints;
    this.headers = headers;
    this.size = endpoints.length;
  }

  async pick(): Promise<Transport> {
    const ready = this.#take();
    if (ready !== undefined) return ready.transport;
    const tries = this.#endpoints.map((endpoint) => this.#connect(endpoint));
    for (const { connection } of this.#endpoints) connection.hold(true);
    try {
      const first = await Promise.any(tries);
      return (this.#take() ?? first).transport;
    } catch (error) {
      throw error instanceof AggregateError ? unreachable(error.errors) : error;
    } finally {
      for (const { connection } of this.#endpoints) connection.hold(false);
    }
  }

  deadlineHeader(remainingMs: number): readonly [name: string, value: string] {
    return ['grpc-timeout', `${remainingMs}m`];
  }

  close(): void {
    for (const { connection } of this.#endpoints) connection.close();
  }

  /** The next gateway that is connected; the others are tried beside. */
  #take(): Endpoint | undefined {
    const now = performance.now();
    let taken: Endpoint | undefined;
    for (let turn = 0; turn < this.size; turn += 1) {
      const index = (this.#next + turn) % this.size;
      const endpoint = this.#endpoints[index];
      if (endpoint === undefined || !endpoint.connection.isReady) continue;
      taken = endpoint;
      this.#next = index + 1;
      break;
    }
    if (taken === undefined) return undefined;
    for (const endpoint of this.#endpoints) {
      if (endpoint.connection.isReady || now < (this.#absences.get(endpoint)?.untilMs ?? 0)) continue;
      this.#connect(endpoint).catch(() => {});
      endpoint.connection.hold(false);
    }
    return taken;
  }

  async #connect(endpoint: Endpoint): Promise<Endpoint> {
    try {
      await endpoint.connection.connect();
      this.#absences.delete(endpoint);
      return endpoint;
    } catch (error) {
      const { backoffMs = FIRST_BACKOFF_MS, untilMs = 0 } = this.#absences.get(endpoint) ?? {};
      const now = performance.now();
      if (now >= untilMs) {
        const untilNextMs = now + backoffMs * (0.8 + 0.4 * Math.random());
        this.#absences.set(endpoint, { untilMs: untilNextMs, backoffMs: Math.min(backoffMs * 2, MAX_BACKOFF_MS) });
      }
      throw error;
    }
  }
}

/** What a caller is told where no gateway can be reached. */
function unreachable(errors: readonly unknown[]): unknown {
  const [first] = errors;
  if (errors.length <= 1) return first;
  const all = errors.map((error) => (error instanceof Error ? error.message : String(error)));
  return notSentError(`no gateway can be reached: ${all.join('; ')}`, first);
}
