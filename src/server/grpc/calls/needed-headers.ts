import type { IncomingHttpHeaders } from 'node:http2';
import { logVerbosity, setLogger, setLogVerbosity } from '@grpc/grpc-js';
import { REQUEST_ID_HEADER } from '../../port/limits.ts';

/** What the handlers read. */
const HANDLERS_READ = [REQUEST_ID_HEADER, 'traceparent', 'tracestate'] as const;

/** What grpc-js 1.14.7 reads besides. */
const GRPC_JS_READS = [
  ':method',
  ':path',
  ':authority',
  'host',
  'content-type',
  'grpc-timeout',
  'grpc-encoding',
] as const;

/** Returns those of a call's headers that its handler reads; whatever else a caller sends is looked at by nobody. */
export function headersForHandlers(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return picked(headers, HANDLERS_READ);
}

/** Returns the same with those that grpc-js reads, which writes every header that it cannot keep to standard error. */
export function headersForLibrary(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return { ...picked(headers, GRPC_JS_READS), ...picked(headers, HANDLERS_READ) };
}

function picked(headers: IncomingHttpHeaders, names: readonly string[]): IncomingHttpHeaders {
  const kept: IncomingHttpHeaders = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

const NOTHING = (): void => undefined;

/**
 * Shuts the log of grpc-js, for the whole process and whatever `GRPC_VERBOSITY` and `GRPC_TRACE` say: its lines quote the headers and
 * paths that callers send, keys among them. What goes wrong with the server itself comes as an error.
 */
export function silenceGrpcLibrary(): void {
  setLogVerbosity(logVerbosity.NONE);
  setLogger({ error: NOTHING, info: NOTHING, debug: NOTHING });
}
