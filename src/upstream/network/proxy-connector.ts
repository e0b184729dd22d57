import { request } from 'node:http';
import type { Socket } from 'node:net';

import { type buildConnector, errors } from 'undici';

import type { Runtime, TimerHandle } from '../../core/ports.ts';
import type { Proxy } from '../../core/outbound/proxy.ts';
import { type Connecting, type Connector, directConnector } from './connector.ts';
import { ProxyError, type ProxyStage } from './proxy-failure.ts';

/** What connections through a proxy are held to. */
export interface ProxyConnectorOptions {
  /** Limit for all of it: to the proxy, its tunnel, and TLS within; in milliseconds. */
  readonly timeoutMs: number;
  /** Most bytes of the head of the proxy's answer. */
  readonly maxHeaderBytes: number;
  readonly timers: Pick<Runtime, 'setTimer' | 'clearTimer'>;
}

/** Makes a connector to a proxy itself, for what is asked of it as it stands (`http://`). */
export function forwardConnector(proxy: Proxy, { timeoutMs }: ProxyConnectorOptions): Connector {
  const connect = directConnector(timeoutMs);
  const address = addressOf(proxy.origin);
  return (_target, callback) =>
    connect(address, (...[error, socket]) => {
      if (error === null) callback(null, socket);
      else callback(new ProxyError('reach', { cause: error }), null);
    });
}

/** Makes a connector that has a proxy make a tunnel (CONNECT; RFC 9110, 9.3.6), and speaks TLS within. */
export function tunnelConnector(proxy: Proxy, options: ProxyConnectorOptions): Connector {
  const connect = directConnector(0);
  return (target, callback) => new Tunnel(proxy, options, connect, target, callback);
}

class Tunnel implements Connecting {
  readonly #proxy: Proxy;
  readonly #options: ProxyConnectorOptions;
  readonly #connect: Connector;
  readonly #target: buildConnector.Options;
  readonly #timer: TimerHandle;
  #callback: buildConnector.Callback | undefined;
  #stage: ProxyStage = 'reach';
  /** To the proxy, and then also that within. */
  #open: Connecting[] = [];

  constructor(
    proxy: Proxy,
    options: ProxyConnectorOptions,
    connect: Connector,
    target: buildConnector.Options,
    callback: buildConnector.Callback,
  ) {
    this.#proxy = proxy;
    this.#options = options;
    this.#connect = connect;
    this.#target = target;
    this.#callback = callback;
    this.#timer = options.timers.setTimer(options.timeoutMs, () => this.#fail(new errors.ConnectTimeoutError()));
    this.#open.push(
      connect(addressOf(proxy.origin), (...[error, socket]) => {
        if (error === null) this.#ask(socket);
        else this.#fail(error);
      }),
    );
  }

  destroy(error: Error): void {
    // undici is told behind whoever ends it, as by a socket.
    queueMicrotask(() => this.#fail(error));
    this.#end(error);
  }

  #ask(socket: Socket): void {
    this.#stage = 'tunnel';
    const { hostname, port } = this.#target;
    const name = hostname.includes(':') ? `[${hostname}]` : hostname;
    const authority = `${name}:${port === '' ? '443' : port}`;
    const { authorization } = this.#proxy;
    const asked = request({
      method: 'CONNECT',
      path: authority,
      headers: {
        host: authority,
        connection: 'keep-alive',
        'proxy-connection': 'keep-alive',
        ...(authorization !== undefined && { 'proxy-authorization': authorization }),
      },
      maxHeaderSize: this.#options.maxHeaderBytes,
      createConnection: () => socket,
    });
    asked.on('connect', ({ statusCode: status = 0 }, tunnel: Socket, ahead) => {
      if (status < 200 || status > 299) this.#fail(new ProxyError('tunnel', { status }));
      else this.#secure(tunnel, ahead);
    });
    asked.on('error', (error) => this.#fail(error));
    asked.end();
  }

  #secure(tunnel: Socket, ahead: Buffer): void {
    if (this.#callback === undefined) return;
    if (ahead.length > 0) tunnel.unshift(ahead);
    this.#open.push(
      this.#connect({ ...this.#target, httpSocket: tunnel }, (...[error, socket]) => {
        const callback = this.#settle();
        // What fails from here on is between this process and the provider.
        if (error === null) callback?.(null, socket);
        else callback?.(error, null);
      }),
    );
  }

  #fail(error: Error): void {
    const callback = this.#settle();
    if (callback === undefined) return;
    this.#end(error);
    const isKnown = error instanceof ProxyError || this.#open.length > 1;
    callback(isKnown ? error : new ProxyError(this.#stage, { cause: error }), null);
  }

  #end(error: Error): void {
    for (const connection of this.#open.toReversed()) connection.destroy(error);
  }

  #settle(): buildConnector.Callback | undefined {
    const callback = this.#callback;
    this.#callback = undefined;
    this.#options.timers.clearTimer(this.#timer);
    return callback;
  }
}

function addressOf(origin: string): buildConnector.Options {
  const { hostname, host, port, protocol } = new URL(origin);
  return { hostname: hostname.replace(/^\[|\]$/g, ''), host, port, protocol };
}
