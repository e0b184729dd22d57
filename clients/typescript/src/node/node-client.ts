import type { MessageInitShape } from '@bufbuild/protobuf';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Health, type HealthCheckRequestSchema, type HealthCheckResponse } from '../../gen/grpc/health/v1/health_pb.js';
import { Caller } from '../calls/caller.ts';
import type { CallOptions } from '../calls/call-options.ts';
import type { CallStream } from '../calls/call-stream.ts';
import { guardKey } from '../calls/headers.ts';
import { type ClientOptions, type LlmClient, llmCalls, timeoutsOf } from '../client.ts';
import { CLIENT_VERSION } from '../version.ts';
import { gatewayAddresses } from './address.ts';
import { Connection } from './connection.ts';
import { type Endpoint, Endpoints } from './endpoints.ts';
import { RoundRobin } from './round-robin.ts';
import { ServingWatch } from './serving-watch.ts';
import { nodeTls } from './node-tls.ts';
import type { TlsOptions } from './tls-options.ts';

/** Options of a client in Node. Everything has a default. */
export interface NodeClientOptions extends ClientOptions {
  /** TLS for an `https://` address, and for one without a scheme. `true` is TLS with Node's own authorities. */
  readonly tls?: TlsOptions | true | undefined;
  /** Time without bytes after which a connection with open calls is probed, in milliseconds. Default: 30,000. */
  readonly pingIntervalMs?: number | undefined;
  /** How long the answer to a probe may take, in milliseconds; then the calls end with UNAVAILABLE. Default: 10,000. */
  readonly pingTimeoutMs?: number | undefined;
  /** How long the opening of a connection may take, in milliseconds. Default: 20,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Largest message that is read, in bytes. Default: 20 MiB, the gateway's own limit. */
  readonly readMaxBytes?: number | undefined;
}

/** Calls gateways over native gRPC. */
export interface NodeLlmClient extends LlmClient {
  /** Asks grpc.health.v1 how a service is; `""`, the default, is the gateway as a whole. NOT_FOUND for one that it does not know. */
  check(
    request?: MessageInitShape<typeof HealthCheckRequestSchema>,
    options?: CallOptions,
  ): Promise<HealthCheckResponse>;
  /**
   * Tells by grpc.health.v1 how a service is, and each time that this changes. Leaving the loop ends the call in the same turn. A
   * service that is not known is SERVICE_UNKNOWN, until it is.
   */
  watch(
    request?: MessageInitShape<typeof HealthCheckRequestSchema>,
    options?: CallOptions,
  ): CallStream<HealthCheckResponse>;
}

const DEFAULT_PING_INTERVAL_MS = 30_000;
const DEFAULT_PING_TIMEOUT_MS = 10_000;
const DEFAULT_CONNECT_TIMEOUT_MS = 20_000;
const DEFAULT_READ_MAX_BYTES = 20 * 1024 * 1024;

/**
 * Makes a client of one gateway or several over native gRPC. An address is `host:port`, `http://host:port`,
 * `https://host:port`, or `dns:///host:port` for all addresses that a name has. Several, in a list or with commas between, take
 * turns; those that cannot be reached, or say by grpc.health.v1 that they do not serve, are left out. It connects on the first call, over one HTTP/2 connection to each. Throws a TypeError for an address, and a RangeError for a
 * number, that cannot be used.
 */
export function createLlmClient(address: string | readonly string[], options: NodeClientOptions = {}): NodeLlmClient {
  const timeouts = timeoutsOf(options.defaultTimeoutMs);
  const addresses = gatewayAddresses(address, options.tls !== undefined);
  for (const { baseUrl } of addresses) guardKey(new URL(baseUrl), options);
  const endpoints = new Endpoints(addresses, (baseUrl, ipAddress) => endpointOf(options, baseUrl, ipAddress));
  const userAgent = `understudy-typescript/${CLIENT_VERSION} node/${process.versions.node}`;
  const channel = new RoundRobin(endpoints, { 'user-agent': userAgent });
  const { headers, apiKey, maxRetries, waitForReady } = options;
  const caller = new Caller(channel, { headers, apiKey, maxRetries, waitForReady });
  const { check, watch } = Health.method;
  return {
    ...llmCalls(caller, timeouts),
    check: (request = {}, call = {}) => caller.unary(check, request, call, timeouts.check),
    watch: (request = {}, call = {}) =>
      caller.stream(watch, request, call, timeouts.watch, { isLast: () => false, unfinished: () => undefined }),
  };
}

function endpointOf(options: NodeClientOptions, baseUrl: string, ipAddress: string | undefined): Endpoint {
  const tls = options.tls === undefined || options.tls === true ? {} : nodeTls(options.tls);
  const {
    pingIntervalMs = DEFAULT_PING_INTERVAL_MS,
    pingTimeoutMs = DEFAULT_PING_TIMEOUT_MS,
    connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS,
    readMaxBytes = DEFAULT_READ_MAX_BYTES,
  } = options;
  const connection = new Connection(baseUrl, { pingIntervalMs, pingTimeoutMs, connectTimeoutMs }, tls, ipAddress);
  const common = { baseUrl, readMaxBytes, acceptCompression: [] };
  return {
    connection,
    transport: createGrpcTransport({ ...common, sessionManager: connection }),
    serving: new ServingWatch(createGrpcTransport({ ...common, sessionManager: connection.beside })),
  };
}
