import { formatAddress, parseAddress } from '../core/address.ts';
import type { Address } from '../core/address.ts';
import { ADDRESS_RULE, isLoopback } from './file/host-port.ts';
import type { ConnectionsConfig, Environment, LimitsConfig, ServerConfig } from './port/resolved.ts';
import { brokenRule, type ConfigProblem } from './port/problem.ts';
import { readVariable } from './port/provider-defaults.ts';
import type { FileServer } from './file/schema.ts';

const DOORS = [
  { key: 'grpcAddress', field: 'grpc_address', variable: 'UNDERSTUDY_GRPC_ADDRESS' },
  { key: 'httpAddress', field: 'http_address', variable: 'UNDERSTUDY_HTTP_ADDRESS' },
  { key: 'adminAddress', field: 'admin_address', variable: 'UNDERSTUDY_ADMIN_ADDRESS' },
] as const;

/** Reads a variable that is a switch: `1` or `true`, `0` or `false`; undefined where it is unset. */
export function readSwitch(env: Environment, name: string, problems: ConfigProblem[]): boolean | undefined {
  const value = readVariable(env, name);
  if (value === undefined) return undefined;
  if (value === '1' || value === 'true') return true;
  if (value === '0' || value === 'false') return false;
  problems.push({ path: name, message: brokenRule('must be 1 or 0', value) });
  return undefined;
}

/** Which addresses ask who calls, besides those that something else guards. */
export interface GuardedAddresses {
  /** Whether callers are named, so that both doors ask. */
  readonly doors: boolean;
  /** Whether the admin listener asks for client certificates. */
  readonly admin: boolean;
}

/**
 * Decides what to listen on: addresses in the environment win over the file. Adds a problem for an address that others can
 * reach unless that is allowed or guarded, and for two doors on one address.
 */
export function resolveServer(
  server: FileServer,
  env: Environment,
  problems: ConfigProblem[],
  guarded: GuardedAddresses = { doors: false, admin: false },
): ServerConfig {
  const allowUnauthenticated =
    readSwitch(env, 'UNDERSTUDY_ALLOW_UNAUTHENTICATED', problems) ?? server.allow_unauthenticated;
  const addresses = { grpcAddress: '', httpAddress: '', adminAddress: '' };
  const taken = new Map<string, string>();
  let isUnauthenticated = false;
  for (const { key, field, variable } of DOORS) {
    const text = readVariable(env, variable);
    const path = text === undefined ? `server.${field}` : variable;
    const address: Address | undefined = text === undefined ? server[field] : parseAddress(text);
    if (address === undefined) {
      problems.push({ path, message: brokenRule(ADDRESS_RULE, text) });
      continue;
    }
    const shown = formatAddress(address);
    addresses[key] = shown;
    const isAdmin = key === 'adminAddress';
    if (!isLoopback(address) && !isAdmin && !guarded.doors) isUnauthenticated = true;
    if (!isLoopback(address) && !allowUnauthenticated && !guarded[isAdmin ? 'admin' : 'doors']) {
      problems.push({ path, message: unguarded(shown, address.port, isAdmin, guarded.doors) });
    }
    const other = taken.get(shown);
    if (other !== undefined && address.port !== 0) problems.push({ path, message: `${shown} is taken by ${other}` });
    taken.set(shown, path);
  }
  const { reflection, admin_service: adminService, cors_origins: corsOrigins, drain } = server;
  const { idle_timeout: idleTimeoutMs, allowed_hosts: allowedHosts } = server.http;
  const http = { corsOrigins, idleTimeoutMs, allowedHosts };
  const limits = resolveLimits(server.limits, problems);
  if (drain.pause >= drain.grace) {
    const message = 'must be shorter than server.drain.grace, which includes it';
    problems.push({ path: 'server.drain.pause', message });
  }
  return {
    ...addresses,
    reflection,
    adminService,
    ...http,
    allowUnauthenticated,
    isUnauthenticated,
    authenticateHealth: server.authenticate_health,
    limits,
    drain: { pauseMs: drain.pause, graceMs: drain.grace },
    connections: resolveConnections(server.connections),
  };
}

function unguarded(shown: string, port: number, isAdmin: boolean, hasCallers: boolean): string {
  const [who, instead] =
    isAdmin && hasCallers
      ? ['operators show no credentials', ', ask for client certificates with server.tls.client_ca']
      : ['callers are not authenticated', isAdmin ? '' : ', name callers in the configuration'];
  return (
    `other machines can reach ${shown} and ${who}; use a loopback address such as 127.0.0.1:${port}${instead}, or, ` +
    'if something else guards it, set server.allow_unauthenticated: true or UNDERSTUDY_ALLOW_UNAUTHENTICATED=1'
  );
}

function resolveConnections({ keepalive, ...ages }: FileServer['connections']): ConnectionsConfig {
  return {
    maxAgeMs: ages.max_age,
    maxAgeGraceMs: ages.max_age_grace,
    idleTimeoutMs: ages.idle_timeout,
    keepalive: { intervalMs: keepalive.interval, timeoutMs: keepalive.timeout },
  };
}

/** So many of the largest messages must find room: fewer, and one caller with one of them shuts all others out. */
const LEAST_MESSAGES = 4;

function resolveLimits(limits: FileServer['limits'], problems: ConfigProblem[]): LimitsConfig {
  const { max_message_bytes: maxMessageBytes, max_bytes_in_flight: asked } = limits;
  const maxBytesInFlight = asked === 'auto' ? undefined : asked;
  const least = LEAST_MESSAGES * maxMessageBytes;
  if (maxBytesInFlight !== undefined && maxBytesInFlight < least) {
    const message = brokenRule(`must be at least ${least}, four times max_message_bytes`, maxBytesInFlight);
    problems.push({ path: 'server.limits.max_bytes_in_flight', message });
  }
  return { maxMessageBytes, maxBytesInFlight, transferTimeoutMs: limits.transfer_timeout };
}
