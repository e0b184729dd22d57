import { logVerbosity, setLogger, setLogVerbosity } from '@grpc/grpc-js';

const NOTHING = (): void => undefined;

/**
 * Shuts the log of grpc-js, for the whole process and whatever `GRPC_VERBOSITY` and `GRPC_TRACE` say: its lines quote the headers and
 * paths that callers send, keys among them. What goes wrong with the server itself comes as an error.
 */
export function silenceGrpcLibrary(): void {
  setLogVerbosity(logVerbosity.NONE);
  setLogger({ error: NOTHING, info: NOTHING, debug: NOTHING });
}
