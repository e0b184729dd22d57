import { Agent, Pool } from 'undici';
import type { Client } from 'undici';

import type { Runtime } from '../../core/ports.ts';
import type { Proxy } from '../../core/outbound/proxy.ts';
import { type Connecting, type Connector, directConnector } from './connector.ts';
import { forwardConnector, tunnelConnector } from './proxy-connector.ts';
import type { ConnectionAges } from './tracked-client.ts';
import { createTrackedClient } from './tracked-client.ts';
import type { Transport } from '../../core/transport.ts';
import { UndiciExchange } from './undici-exchange.ts';

/** How a transport treats its connections. Durations are milliseconds. */
export interface UndiciTransportOptions {
  /** Limit for DNS, TCP and TLS together; default 5,000, to loopback addresses 1,000 (engine, "Timers"). */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Connections to one origin at the same time; default 1,024, above the engine's limit of calls per target, so that
   * nobody waits here unseen.
   */
  readonly connections: number;
  /**
   * How long an idle connection is kept where the server does not say; default 30,000 for https and 4,000 for http, because
   * servers of local models (uvicorn) close theirs after five seconds.
   */
  readonly keepAliveMs?: number | undefined;
  /** Bytes of a response's headers; default 64 Ki. */
  readonly maxHeaderBytes: number;
  /**
   * Age at which a connection serves its last call, give or take a tenth; default 300,000. Names are looked up for new connections
   * alone, so that without it steady traffic would stay with an old address for as long as that answers.
   */
  readonly maxAgeMs: number;
  /** What everything goes through; default nothing. Then connecting may take 5,000 ms to loopback addresses, too. */
  readonly proxy?: Proxy | undefined;
}

const DEFAULTS: UndiciTransportOptions = { connections: 1024, maxHeaderBytes: 64 * 1024, maxAgeMs: 300_000 };

/** By how much of it the age of connections differs, so that those made together do not end together. */
const AGE_JITTER = 0.1;

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|(?:.+\.)?localhost)$/i;

/**
 * Makes a transport over HTTP/1.1 sockets with undici. Connections are opened on first use and kept for reuse; redirects are
 * not followed; no timer runs after the connection stands, since the engine owns those. Every request asks for an unencoded
 * body (`accept-encoding: identity`: encoders hold streamed events back); what comes encoded all the same is decoded.
 */
export function createUndiciTransport(
  runtime: Pick<Runtime, 'now' | 'random' | 'setTimer' | 'clearTimer'>,
  options: Partial<UndiciTransportOptions> = {},
): Transport {
  const settings = { ...DEFAULTS, ...options };
  const connecting = new Set<Connecting>();
  const ages: ConnectionAges = {
    now: () => runtime.now(),
    drawMaxMs: () => settings.maxAgeMs * (1 + AGE_JITTER * (2 * runtime.random() - 1)),
  };
  const open = (): Opened => {
    const pools = new Set<Pool>();
    const factory = (origin: string | URL): Pool => {
      const pool = createPool(origin, settings, connectorTo(origin, settings, runtime), connecting, ages);
      pools.add(pool);
      return pool;
    };
    return { agent: new Agent({ allowH2: false, factory }), pools };
  };
  const first = open();
  /** Behind the calls that came since it was retired. */
  const late = new Set<Opened>();
  let retired: Promise<void> | undefined;
  const sendLate = (exchange: UndiciExchange): void => {
    const own = open();
    late.add(own);
    exchange.start(own.agent);
    void closeBehind(own).then(() => late.delete(own));
  };
  return {
    send: (request, handler) => {
      const exchange = new UndiciExchange(request, handler, settings.proxy);
      // In the caller's own turn undici could report at once, and could meet its parser at work (see UndiciExchange.resume).
      queueMicrotask(() => (retired === undefined ? exchange.start(first.agent) : sendLate(exchange)));
      return exchange;
    },
    retire: () => (retired ??= closeBehind(first)),
    close: async () => {
      for (const socket of connecting) socket.destroy(new Error('closed while connecting'));
      await Promise.all([first, ...late].flatMap(({ pools }) => [...pools].map((pool) => pool.destroy())));
      await first.agent.destroy();
    },
  };
}

/** An agent, and what it has opened: once it closes it knows of that no more, and could not destroy it. */
interface Opened {
  readonly agent: Agent;
  readonly pools: ReadonlySet<Pool>;
}

/** Closes an agent's connections as its requests end. Never rejects: who destroys it meanwhile has closed them, too. */
async function closeBehind({ agent }: Opened): Promise<void> {
  await agent.close().catch(() => undefined);
}

function createPool(
  origin: string | URL,
  settings: UndiciTransportOptions,
  connector: Connector,
  connecting: Set<Connecting>,
  ages: ConnectionAges,
): Pool {
  const { protocol } = new URL(origin);
  const client: Client.Options = {
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: settings.keepAliveMs ?? (protocol === 'https:' ? 30_000 : 4_000),
    maxHeaderSize: settings.maxHeaderBytes,
  };
  return new Pool(origin, {
    allowH2: false,
    connections: settings.connections,
    factory: (url) => createTrackedClient(url, client, connector, connecting, ages),
  });
}

function connectorTo(
  origin: string | URL,
  { connectTimeoutMs, maxHeaderBytes, proxy }: UndiciTransportOptions,
  timers: Pick<Runtime, 'setTimer' | 'clearTimer'>,
): Connector {
  const { hostname, protocol } = new URL(origin);
  if (proxy === undefined) return directConnector(connectTimeoutMs ?? (LOOPBACK.test(hostname) ? 1_000 : 5_000));
  const options = { timeoutMs: connectTimeoutMs ?? 5_000, maxHeaderBytes, timers };
  // What is not asked over TLS is asked of the proxy, and its origin is the proxy's.
  return protocol === 'https:' && new URL(origin).origin !== proxy.origin
    ? tunnelConnector(proxy, options)
    : forwardConnector(proxy, options);
}
