import { FailureError } from '../../core/failure.ts';
import type { Failure, FailureClass, FailureReason } from '../../core/failure.ts';
import { outOfDescriptors } from '../port/answer-failures.ts';
import { isOutOfDescriptors, saysOutOfDescriptors } from './descriptors.ts';
import { ProxyError, proxyFailure } from './proxy-failure.ts';

/** How far a request had come when its connection failed: not written, written, or part of the answer read. */
export type ConnectionPhase = 'unsent' | 'sent' | 'answered';

/** Carries what a transport knows of a connection that failed; the error of the socket or of undici is its cause. */
export class ConnectionError extends Error {
  readonly phase: ConnectionPhase;
  /** Whether the connection had served an earlier request. */
  readonly reused: boolean;

  constructor(cause: unknown, phase: ConnectionPhase, reused: boolean) {
    super('The connection to the provider failed.', { cause });
    this.name = 'ConnectionError';
    this.phase = phase;
    this.reused = reused;
  }
}

interface Trouble {
  readonly code: string | undefined;
  readonly phase: ConnectionPhase | undefined;
  readonly reused: boolean;
}

type NetworkClass = Extract<
  FailureClass,
  'connect' | 'tls' | 'stale_socket' | 'reset' | 'silence' | 'protocol' | 'local_refusal' | 'internal'
>;

const TEXTS = {
  connect: { reason: 'PROVIDER_UNAVAILABLE', message: 'The provider could not be reached.' },
  tls: { reason: 'PROVIDER_UNAVAILABLE', message: 'No secure connection to the provider could be made.' },
  stale_socket: { reason: 'PROVIDER_UNAVAILABLE', message: 'The provider had closed the idle connection.' },
  reset: { reason: 'PROVIDER_UNAVAILABLE', message: 'The connection to the provider broke.' },
  silence: { reason: 'PROVIDER_TIMEOUT', message: 'The provider did not answer in time.' },
  protocol: {
    reason: 'PROVIDER_PROTOCOL_ERROR',
    message: 'The provider answered with something other than valid HTTP.',
  },
  local_refusal: { reason: 'SHUTTING_DOWN', message: 'The gateway is closing its connections.' },
  internal: { reason: 'INTERNAL', message: 'The request could not be sent because of a fault of the gateway.' },
} as const satisfies Record<NetworkClass, { readonly reason: FailureReason; readonly message: string }>;

/** Codes that mean the same in every phase. */
const BY_CODE: Readonly<Record<string, NetworkClass>> = {
  ECONNREFUSED: 'connect',
  EADDRNOTAVAIL: 'connect',
  UND_ERR_CONNECT_TIMEOUT: 'connect',
  UND_ERR_HEADERS_TIMEOUT: 'silence',
  UND_ERR_BODY_TIMEOUT: 'silence',
  UND_ERR_HEADERS_OVERFLOW: 'protocol',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'protocol',
  UND_ERR_CLOSED: 'local_refusal',
  UND_ERR_DESTROYED: 'local_refusal',
  UND_ERR_INVALID_ARG: 'internal',
  UND_ERR_MAX_ORIGINS_REACHED: 'internal',
};

/** These say how a connection came to nothing only where it never stood. */
const UNREACHABLE = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN']);

const DNS = /^(?:EAI_|ENOTFOUND$)/;
/** Codes of `X509_V_ERR_*`, of OpenSSL and of Node's `tls`. */
const TLS =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|ERROR_IN_C|SELF_SIGNED_|DEPTH_ZERO_)|^(?:EPROTO|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/;
/** The parser's codes; the end of the connection within a message is a break, not bad HTTP. */
const BAD_HTTP = /^HPE_(?!INVALID_EOF_STATE$)/;
/** Codes of system calls, of undici and of streams; `ERR_...` otherwise is Node's sign of a programming error. */
const NETWORK = /^(?:E(?!RR_)[A-Z0-9_]+|UND_ERR_[A-Z_]+|HPE_INVALID_EOF_STATE|ERR_STREAM_PREMATURE_CLOSE)$/;

/**
 * Translates what a transport reports to a failure of class C1 to C4, C15, C20 or C21 of the engine's rules. `answered` says
 * whether any of the response had come, where the error itself does not know; `cannotOpen`, whether this process is out of descriptors. The error's own words, which hold addresses,
 * go no further than `cause`.
 */
export function networkFailure(error: unknown, answered = false, cannotOpen = isOutOfDescriptors): Failure {
  if (error instanceof FailureError) return error.failure;
  const cause = error instanceof ConnectionError ? error.cause : error;
  if (cause instanceof ProxyError) {
    const withoutProxy = networkFailure(new ConnectionError(cause.cause, 'unsent', false), false, cannotOpen);
    return proxyFailure(cause, withoutProxy);
  }
  const trouble = readTrouble(error, answered);
  if (saysOutOfDescriptors(trouble.code)) return outOfDescriptors(error);
  // The resolver says of a process that can open no socket to a name server that there is no such name.
  if (trouble.code !== undefined && DNS.test(trouble.code) && cannotOpen()) return outOfDescriptors(error);
  const found = classify(trouble);
  return {
    class: found,
    ...TEXTS[found],
    providerCode: trouble.code === undefined ? undefined : printable(trouble.code),
    ...(isNeverSent(found, trouble.phase) ? { neverSent: true } : {}),
    cause: error,
  };
}

function classify({ code, phase, reused }: Trouble): NetworkClass {
  if (code === undefined) return 'internal';
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (DNS.test(code)) return 'connect';
  if (BAD_HTTP.test(code)) return 'protocol';
  if (TLS.test(code)) return phase === 'answered' ? 'reset' : 'tls';
  if (!NETWORK.test(code)) return 'internal';
  if (phase === 'unsent' || (phase === undefined && UNREACHABLE.has(code))) return 'connect';
  return reused && phase !== 'answered' ? 'stale_socket' : 'reset';
}

function isNeverSent(found: NetworkClass, phase: ConnectionPhase | undefined): boolean {
  return phase === 'unsent' || found === 'connect' || (found === 'tls' && phase === undefined);
}

function readTrouble(error: unknown, answered: boolean): Trouble {
  if (error instanceof ConnectionError) {
    return { code: codeOf(error.cause), phase: error.phase, reused: error.reused };
  }
  const syscall = propertyOf(error, 'syscall');
  const never = syscall === 'connect' || syscall === 'getaddrinfo';
  // undici's SocketError describes the socket: bytes read before this response can only be those of an earlier one.
  const bytesRead = propertyOf(propertyOf(error, 'socket'), 'bytesRead');
  return {
    code: codeOf(error),
    phase: answered ? 'answered' : never ? 'unsent' : undefined,
    reused: !answered && typeof bytesRead === 'number' && bytesRead > 0,
  };
}

/** Looks for a code in an error, in the errors that it gathers (happy eyeballs), and in its causes. */
function codeOf(error: unknown, depth = 0): string | undefined {
  const code = propertyOf(error, 'code');
  if (typeof code === 'string') return code;
  // undici 8.12 loses the code of its parser's errors. The parser has no data in hand only at the end of the connection.
  if (propertyOf(error, 'name') === 'HTTPParserError') {
    return propertyOf(error, 'data') === '' ? 'HPE_INVALID_EOF_STATE' : 'HPE_INVALID';
  }
  if (depth === 4) return undefined;
  if (error instanceof AggregateError) {
    for (const one of error.errors) {
      const found = codeOf(one, depth + 1);
      if (found !== undefined) return found;
    }
  }
  const cause = propertyOf(error, 'cause');
  return cause === undefined ? undefined : codeOf(cause, depth + 1);
}

/** Returns a property of what may be anything; undefined where it has none. */
export function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function printable(code: string): string {
  return code.replaceAll(/[^A-Za-z0-9._-]/g, '').slice(0, 64);
}
