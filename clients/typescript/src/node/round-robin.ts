import type { Transport } from '@connectrpc/connect';
import type { Channel } from '../calls/channel.ts';
import { notSentError } from '../calls/not-sent.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';

const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 10_000;

/** What is remembered of a gateway that could not be reached. */
interface Absence {
  readonly untilMs: number;
  readonly backoffMs: number;
}

/**
 * Gives calls to gateways in turn, over a connection to each. Those that cannot be reached are left out, and tried again
 * beside the calls after a wait that grows to 10 s; so are those that say that they do not serve. Where none is left, all are
 * tried at once, and one that can be reached is taken, whatever it says.
 */
export class RoundRobin implements Channel {
  readonly headers: Readonly<Record<string, string>>;
  readonly #endpoints: Endpoints;
  readonly #absences = new WeakMap<Endpoint, Absence>();
  #next = 0;

  constructor(endpoints: Endpoints, headers: Readonly<Record<string, string>>) {
    this.#endpoints = endpoints;
    this.headers = headers;
  }

  get size(): number {
    return Math.max(1, this.#endpoints.current.length);
  }

  async pick(signal: AbortSignal): Promise<Transport> {
    const ready = this.#take();
    await this.#endpoints.refresh(this.#endpoints.current.some((endpoint) => !isReady(endpoint)));
    if (ready !== undefined) return ready.transport;
    const tried = this.#endpoints.current;
    const tries = tried.map((endpoint) => this.#connect(endpoint));
    const releases = tried.map(({ connection }) => connection.await());
    const release = (): void => {
      for (const each of releases.splice(0)) each();
    };
    signal.addEventListener('abort', release);
    try {
      const first = await Promise.any(tries);
      return (this.#take() ?? first).transport;
    } catch (error) {
      const reached = tried.find(({ connection }) => connection.isReady);
      if (reached !== undefined) return reached.transport;
      throw error instanceof AggregateError ? unreachable(error.errors) : error;
    } finally {
      signal.removeEventListener('abort', release);
      release();
    }
  }

  deadlineHeader(remainingMs: number): readonly [name: string, value: string] {
    return ['grpc-timeout', `${remainingMs}m`];
  }

  close(): void {
    for (const { connection, serving } of this.#endpoints.all) {
      serving.stop();
      connection.close();
    }
  }

  /** The next gateway that is connected and serves; the others are tried beside. */
  #take(): Endpoint | undefined {
    const endpoints = this.#endpoints.current;
    let taken: Endpoint | undefined;
    for (let turn = 0; turn < endpoints.length && taken === undefined; turn += 1) {
      const index = (this.#next + turn) % endpoints.length;
      const endpoint = endpoints[index];
      if (endpoint === undefined || !isReady(endpoint)) continue;
      taken = endpoint;
      this.#next = index + 1;
    }
    if (taken === undefined || endpoints.length === 1) return taken;
    const now = performance.now();
    for (const endpoint of endpoints) {
      if (endpoint.connection.isReady) {
        void endpoint.serving.start();
      } else if (now >= (this.#absences.get(endpoint)?.untilMs ?? 0)) {
        this.#connect(endpoint).catch(() => {});
      }
    }
    return taken;
  }

  /** Connects, and rejects where the gateway cannot be reached or does not serve. One that is alone is not asked. */
  async #connect(endpoint: Endpoint): Promise<Endpoint> {
    try {
      await endpoint.connection.connect();
      this.#absences.delete(endpoint);
    } catch (error) {
      const { backoffMs = FIRST_BACKOFF_MS, untilMs = 0 } = this.#absences.get(endpoint) ?? {};
      const now = performance.now();
      if (now >= untilMs) {
        const untilNextMs = now + backoffMs * (0.8 + 0.4 * Math.random());
        this.#absences.set(endpoint, { untilMs: untilNextMs, backoffMs: Math.min(backoffMs * 2, MAX_BACKOFF_MS) });
      }
      throw error;
    }
    if (this.#endpoints.current.length > 1) await endpoint.serving.start();
    if (!endpoint.serving.isServing) throw notSentError('the gateway does not serve', undefined);
    return endpoint;
  }
}

function isReady({ connection, serving }: Endpoint): boolean {
  return connection.isReady && serving.isServing;
}

/** What a caller is told where no gateway can be reached. */
function unreachable(errors: readonly unknown[]): unknown {
  const [first] = errors;
  if (errors.length === 1) return first;
  const all = errors.map((error) => (error instanceof Error ? error.message : String(error)));
  return notSentError(`no gateway can be reached: ${all.join('; ')}`, first);
}
