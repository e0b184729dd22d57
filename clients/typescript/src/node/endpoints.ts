import { lookup } from 'node:dns/promises';
import type { Transport } from '@connectrpc/connect';
import { notSentError } from '../calls/not-sent.ts';
import type { GatewayAddress } from './address.ts';
import type { Connection } from './connection.ts';
import type { ServingWatch } from './serving-watch.ts';

/** A gateway and the way to it. */
export interface Endpoint {
  readonly connection: Connection;
  readonly transport: Transport;
  readonly serving: ServingWatch;
}

/** Makes the way to a gateway; the IP address is one of those that its name has. */
export type MakeEndpoint = (baseUrl: string, ipAddress?: string) => Endpoint;

/** How long what the resolver said is good, in milliseconds, and how often it is asked at most where gateways are missing. */
const GOOD_FOR_MS = 30_000;
const ASKED_AT_MOST_MS = 1000;

/** The gateways of a client: those that it was told, and those that names have, which are looked up again from time to time. */
export class Endpoints {
  readonly #addresses: readonly GatewayAddress[];
  readonly #make: MakeEndpoint;
  readonly #known = new Map<string, Endpoint>();
  readonly #isFixed: boolean;
  #current: readonly Endpoint[] = [];
  #lookup: Promise<void> | undefined;
  #lookedUpAtMs = Number.NEGATIVE_INFINITY;

  constructor(addresses: readonly GatewayAddress[], make: MakeEndpoint) {
    this.#addresses = addresses;
    this.#make = make;
    this.#isFixed = addresses.every(({ isResolved }) => !isResolved);
    if (this.#isFixed) this.#current = addresses.map(({ baseUrl }) => this.#endpoint(baseUrl));
  }

  /** Those that calls may be sent to. */
  get current(): readonly Endpoint[] {
    return this.#current;
  }

  /** Those that were ever made. */
  get all(): Iterable<Endpoint> {
    return this.#known.values();
  }

  /** Looks names up where that is due. Waits for it only where there is no gateway yet; then rejects with UNAVAILABLE. */
  async refresh(isAnyMissing: boolean): Promise<void> {
    if (this.#isFixed) return;
    const ageMs = performance.now() - this.#lookedUpAtMs;
    if (ageMs > (isAnyMissing ? ASKED_AT_MOST_MS : GOOD_FOR_MS) || this.#current.length === 0) {
      this.#lookup ??= this.#resolve().finally(() => {
        this.#lookup = undefined;
      });
    }
    if (this.#current.length > 0) this.#lookup?.catch(() => {});
    else await this.#lookup;
  }

  async #resolve(): Promise<void> {
    const found = await Promise.all(this.#addresses.map((address) => this.#endpointsOf(address)));
    this.#lookedUpAtMs = performance.now();
    const current = found.flat();
    for (const endpoint of this.#current) if (!current.includes(endpoint)) endpoint.serving.stop();
    this.#current = current;
  }

  async #endpointsOf({ baseUrl, isResolved }: GatewayAddress): Promise<Endpoint[]> {
    if (!isResolved) return [this.#endpoint(baseUrl)];
    const { hostname } = new URL(baseUrl);
    try {
      const addresses = await lookup(hostname.replace(/^\[(.*)\]$/, '$1'), { all: true });
      return addresses.map(({ address }) => this.#endpoint(baseUrl, address));
    } catch (error) {
      throw notSentError(`${hostname} cannot be looked up: ${String(error)}`, error);
    }
  }

  #endpoint(baseUrl: string, ipAddress?: string): Endpoint {
    const key = `${baseUrl} ${ipAddress ?? ''}`;
    const endpoint = this.#known.get(key) ?? this.#make(baseUrl, ipAddress);
    this.#known.set(key, endpoint);
    return endpoint;
  }
}
