import type { createClient, createCluster } from '@redis/client';

import type { LimitStoreConfig } from '../../config/port/limit-store-config.ts';
import type { Runtime } from '../../core/ports.ts';
import { LIMIT_SCRIPT, LIMIT_SCRIPT_SHA } from './limit-script.ts';

/** Waits before the connection is tried again, in milliseconds; the last one repeats. */
const RECONNECT_MS = [25, 50, 100, 200, 400, 800, 1_000] as const;

/** How long a connection may take to be made, in milliseconds. */
const CONNECT_MS = 2_000;

/** The connection to the store. Nothing is repeated nor kept back by it: a question that cannot be sent at once fails. */
export interface StoreLink {
  readonly isReady: boolean;
  /** Runs the script of limits on keys of one slot. Rejects where the server is not there, or refuses. */
  run(keys: string[], replica: string, numbers: string): Promise<readonly number[]>;
  /** Closes the connection, so that what is under way fails, and makes a new one. */
  renew(): void;
  close(): void;
}

/** Who is told of the connection. */
export interface LinkListener {
  ready(): void;
  /** @param why a word for it: the network's code, or the first word of the server's error */
  failed(why: string): void;
}

/** What makes clients. Large, and not needed by most processes. */
interface Library {
  readonly createClient: typeof createClient;
  readonly createCluster: typeof createCluster;
}

/** What both kinds of clients have that is needed here. */
interface Client {
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  destroy(): void;
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** Connects to the store as soon as its library is loaded, again and again until it is closed. */
export function openStoreLink(config: LimitStoreConfig, runtime: Runtime, listener: LinkListener): StoreLink {
  let client: Client | undefined;
  let library: Library | undefined;
  let isClosed = false;

  function open(from: Library): void {
    const opened = newClient(from, config, runtime, {
      ready: () => {
        if (opened === client && !isClosed) listener.ready();
      },
      failed: (why) => {
        if (opened === client && !isClosed) listener.failed(why);
      },
    });
    client = opened;
    connect(opened);
  }

  // A cluster of which no node is found gives up, and is ready later than its nodes; a single server is tried again by its client.
  function connect(connecting: Client, attempt = 0): void {
    const isOurs = (): boolean => connecting === client && !isClosed;
    const connected = (): void => {
      if (config.isCluster && isOurs()) listener.ready();
    };
    connecting.connect().then(connected, (error: unknown) => {
      if (!isOurs()) return;
      listener.failed(faultWord(error));
      runtime.setTimer(reconnectMs(attempt, runtime), () => {
        if (isOurs()) connect(connecting, attempt + 1);
      });
    });
  }

  const load = async (): Promise<void> => {
    try {
      library = await import('@redis/client');
      if (!isClosed) open(library);
    } catch (error) {
      listener.failed(faultWord(error));
    }
  };
  void load();
  return {
    get isReady() {
      return client?.isReady ?? false;
    },
    run: async (keys, replica, numbers) => {
      if (client === undefined) throw new Error('the client of the store is not loaded yet');
      const options = { keys, arguments: [replica, numbers] };
      try {
        return numbersOf(await client.evalSha(LIMIT_SCRIPT_SHA, options));
      } catch (error) {
        if (faultWord(error) !== 'NOSCRIPT') throw error;
        return numbersOf(await client.eval(LIMIT_SCRIPT, options));
      }
    },
    renew: () => {
      if (library === undefined) return;
      const old = client;
      open(library);
      destroy(old);
    },
    close: () => {
      isClosed = true;
      destroy(client);
    },
  };
}

/** Says in a word why something failed: never in the server's or the library's sentence, which may hold an address. */
export function faultWord(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return /^[A-Z]{4,20}(?= )/.exec(error.message)?.[0] ?? error.constructor.name;
}

function newClient(library: Library, config: LimitStoreConfig, runtime: Runtime, listener: LinkListener): Client {
  const failed = (why: string): void => listener.failed(why);
  const ready = (): void => listener.ready();
  const common = {
    RESP: 2 as const,
    disableOfflineQueue: true,
    maintNotifications: 'disabled' as const,
    disableClientInfo: true,
    // Who asks looks at the time: the client's own five seconds would make a signal with a timer for each question.
    commandOptions: { timeout: 0 },
  };
  const timing = { connectTimeout: CONNECT_MS, reconnectStrategy: (retries: number) => reconnectMs(retries, runtime) };
  const first = new URL(config.urls[0]);
  if (config.isCluster) {
    const { RESP, commandOptions, ...options } = common;
    const cluster = library.createCluster({
      RESP,
      commandOptions,
      rootNodes: config.urls.map((url) => ({ url, socket: timing })),
      defaults: {
        ...options,
        ...credentialsOf(first),
        socket: { ...timing, ...(first.protocol === 'rediss:' ? { tls: true } : {}) },
      },
    });
    cluster.on('error', (error) => failed(faultWord(error)));
    cluster.on('node-error', (error) => failed(faultWord(error)));
    cluster.on('node-ready', ready);
    return cluster;
  }
  const client =
    first.protocol === 'unix:'
      ? library.createClient({ ...common, socket: { path: decodeURIComponent(first.pathname), tls: false, ...timing } })
      : library.createClient({ ...common, url: config.urls[0], socket: timing });
  client.on('error', (error) => failed(faultWord(error)));
  client.on('ready', ready);
  return client;
}

function credentialsOf({ username, password }: URL): { username?: string; password?: string } {
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  };
}

/** With a jitter of a quarter, so that the gateways do not come all at once. */
function reconnectMs(attempt: number, runtime: Runtime): number {
  const ms = RECONNECT_MS[Math.min(attempt, RECONNECT_MS.length - 1)] ?? 1_000;
  return Math.ceil(ms * (0.75 + runtime.random() / 4));
}

function destroy(client: Client | undefined): void {
  try {
    client?.destroy();
  } catch {
    // It was closed already.
  }
}

/** The parse boundary: the script answers a list of integers. */
function numbersOf(reply: unknown): readonly number[] {
  if (!Array.isArray(reply)) throw new TypeError('the script of limits has answered no list');
  return reply as readonly number[];
}
