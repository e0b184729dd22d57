import type { Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { Caller } from '../calls/caller.ts';
import type { Channel } from '../calls/channel.ts';
import { guardKey } from '../calls/headers.ts';
import { type ClientOptions, type LlmClient, llmCalls, timeoutsOf } from '../client.ts';
import { CLIENT_VERSION } from '../version.ts';

/** Options of a client in a browser. Everything has a default. */
export interface WebClientOptions extends ClientOptions {
  /** What sends requests. Default: the `fetch` of the page. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/**
 * Makes a client of the web door of a gateway, over Connect: for pages, workers, and whatever has `fetch` alone. The address
 * is the URL of the door, or of a path of a proxy that leads there; a page may leave out the origin if it is its own. The door
 * lets in pages of the origins that `server.cors_origins` names. Throws a TypeError for an address, and a RangeError for a
 * number, that cannot be used.
 */
export function createLlmClient(address: string, options: WebClientOptions = {}): LlmClient {
  const timeouts = timeoutsOf(options.defaultTimeoutMs);
  const url = webUrlOf(address);
  guardKey(url, options);
  const send = options.fetch ?? globalThis.fetch.bind(globalThis);
  const channel = new WebChannel(
    createConnectTransport({ baseUrl: url.href.replace(/\/$/, ''), useBinaryFormat: true, fetch: send }),
  );
  const { headers, apiKey, maxRetries, waitForReady } = options;
  return llmCalls(new Caller(channel, { headers, apiKey, maxRetries, waitForReady }), timeouts);
}

class WebChannel implements Channel {
  /** Whether a request of `fetch` that failed has come to the gateway cannot be told, so nothing is sent again by itself. */
  readonly size = 0;
  /** Pages may not set the user agent. */
  readonly headers = { 'x-user-agent': `understudy-typescript/${CLIENT_VERSION}` };
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  pick(): Promise<Transport> {
    return Promise.resolve(this.#transport);
  }

  deadlineHeader(remainingMs: number): readonly [name: string, value: string] {
    return ['connect-timeout-ms', String(remainingMs)];
  }

  close(): void {
    // The browser keeps the connections.
  }
}

function webUrlOf(address: string): URL {
  const { location } = globalThis as { readonly location?: { readonly href: string } };
  let url: URL;
  try {
    url = new URL(address, location?.href);
  } catch {
    throw invalidAddress();
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalidAddress();
  if (`${url.username}${url.password}${url.search}${url.hash}` !== '') throw invalidAddress();
  return url;
}

function invalidAddress(): TypeError {
  return new TypeError('the address must be a URL, such as "https://gateway.example"');
}
