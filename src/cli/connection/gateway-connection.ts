import { readFileSync } from 'node:fs';

import type { CallOptions, Interceptor, Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';

import type { Environment } from '../../config/port/resolved.ts';
import { valueAt } from '../../config/port/problem.ts';
import type { ConnectionFlags } from '../command-line.ts';
import { UsageError } from '../usage-error.ts';
import { hearingLosses } from './heard-losses.ts';

/** As all clients of the gateway: as large as a message may be, and pings while calls are open. */
const READ_MAX_BYTES = 20 * 1_048_576;
const PING_INTERVAL_MS = 30_000;
const PING_TIMEOUT_MS = 10_000;

/**
 * How much longer than the gateway this side waits, in milliseconds: the gateway's own answer at the deadline has the reason and the
 * trail, and needs its time to come.
 */
const DEADLINE_SLACK_MS = 250;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** A key that HTTP can carry in a header. */
const SENDABLE_KEY = /^[\u0021-\u007E]+$/;

/** A traceparent of W3C Trace Context; anything else in the variable is not sent. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

const ADDRESS_FORM = 'must be host:port, http://host:port or https://host:port';

/** A connection to a gateway, which opens with the first call. */
export interface GatewayConnection {
  readonly transport: Transport;
  /** The address as people know it. */
  readonly address: string;
  /** What must not be shown. */
  readonly secrets: readonly string[];
  /** Ends open calls, and closes the connection. */
  close(): void;
}

/** Makes a connection of flags and variables. Throws UsageError where they cannot be used, without any secret. */
export function connectToGateway(flags: ConnectionFlags, env: Environment): GatewayConnection {
  const tls = readTls(flags);
  const url = baseUrl(flags.address, Object.keys(tls).length > 0);
  const key = readApiKey(flags, env);
  if (key !== undefined && url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !flags.allowPlaintextKey) {
    throw new UsageError(
      `the API key would go to ${url.host} without TLS; use https://, or --allow-plaintext-key where the way is safe`,
    );
  }
  const headers = readHeaders(flags.header ?? [], env);
  if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
  const pings = { pingIntervalMs: PING_INTERVAL_MS, pingTimeoutMs: PING_TIMEOUT_MS };
  const sessions = new Http2SessionManager(url.origin, pings, tls);
  const addHeaders: Interceptor = (next) => (request) => {
    for (const [name, value] of headers) request.header.set(name, value);
    const told = /^(\d+)m$/.exec(request.header.get('grpc-timeout') ?? '')?.[1];
    if (told !== undefined) request.header.set('grpc-timeout', `${Number(told) - DEADLINE_SLACK_MS}m`);
    return next(request);
  };
  return {
    transport: createGrpcTransport({
      baseUrl: url.origin,
      sessionManager: hearingLosses(sessions),
      readMaxBytes: READ_MAX_BYTES,
      acceptCompression: [],
      interceptors: [addHeaders],
    }),
    address: url.protocol === 'https:' ? url.origin : url.host,
    secrets: key === undefined ? [] : [key],
    close: () => sessions.abort(),
  };
}

/**
 * Makes a connection to an admin listener, which speaks Connect, and knows operators by who can reach it: no API key goes there. Throws
 * UsageError as {@link connectToGateway}.
 */
export function connectToAdmin(address: string, flags: ConnectionFlags, env: Environment): GatewayConnection {
  const tls = readTls(flags);
  const url = baseUrl(address, Object.keys(tls).length > 0, '--admin');
  const headers = readHeaders(flags.header ?? [], env);
  const addHeaders: Interceptor = (next) => (request) => {
    for (const [name, value] of headers) request.header.set(name, value);
    return next(request);
  };
  return {
    transport: createConnectTransport({
      baseUrl: url.origin,
      httpVersion: '1.1',
      nodeOptions: tls,
      readMaxBytes: READ_MAX_BYTES,
      acceptCompression: [],
      interceptors: [addHeaders],
    }),
    address: url.protocol === 'https:' ? url.origin : url.host,
    secrets: [],
    close: () => {},
  };
}

/**
 * Makes the options of a call that ends at a deadline: so many milliseconds from now, as the gateway is told. Whole ones, since
 * `grpc-timeout` has no fractions.
 */
export function withDeadline(signal: AbortSignal, timeoutMs: number): CallOptions {
  return { signal, timeoutMs: Math.ceil(timeoutMs) + DEADLINE_SLACK_MS };
}

/** Never shows the address, which may hold a secret. */
function baseUrl(address: string, hasTls: boolean, flag = '--address'): URL {
  const text = address.includes('://') ? address : `${hasTls ? 'https' : 'http'}://${address}`;
  if (!address.includes('://') && !/:\d+$/.test(address)) throw new UsageError(`${flag} ${ADDRESS_FORM}`);
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw new UsageError(`${flag} ${ADDRESS_FORM}`);
  if (`${url.username}${url.password}${url.search}${url.hash}` !== '' || url.pathname !== '/') {
    throw new UsageError(`${flag} ${ADDRESS_FORM}, and nothing else`);
  }
  if (url.protocol === 'http:' && hasTls) {
    throw new UsageError('--ca, --cert, --key and --server-name are for TLS, and the address says http://');
  }
  return url;
}

function readTls({ ca, cert, key, serverName }: ConnectionFlags) {
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key go together');
  return {
    ...(ca !== undefined && { ca: readTextFile('--ca', ca) }),
    ...(cert !== undefined && { cert: readTextFile('--cert', cert) }),
    ...(key !== undefined && { key: readTextFile('--key', key) }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

function readApiKey({ apiKeyFile }: ConnectionFlags, env: Environment): string | undefined {
  const from = apiKeyFile === undefined ? 'UNDERSTUDY_API_KEY' : '--api-key-file';
  const text = apiKeyFile === undefined ? env['UNDERSTUDY_API_KEY'] : readTextFile(from, apiKeyFile);
  const key = text?.trim();
  if (key === undefined || (key === '' && apiKeyFile === undefined)) return undefined;
  if (!SENDABLE_KEY.test(key)) throw new UsageError(`${from} holds no key that can be sent`);
  return key;
}

function readHeaders(lines: readonly string[], env: Environment): Headers {
  const headers = new Headers();
  const traceparent = env['TRACEPARENT'];
  if (traceparent !== undefined && TRACEPARENT.test(traceparent)) headers.set('traceparent', traceparent);
  for (const line of lines) {
    const colon = line.indexOf(':');
    try {
      if (colon < 1) throw new TypeError();
      headers.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
    } catch {
      // The value may be a secret.
      throw new UsageError('--header must be "name: value", as HTTP allows it');
    }
  }
  return headers;
}

/** Reads a file that a flag names. Throws UsageError. */
export function readTextFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = valueAt(error, ['code']);
    throw new UsageError(`${flag}: cannot read ${JSON.stringify(path)}${typeof code === 'string' ? ` (${code})` : ''}`);
  }
}
