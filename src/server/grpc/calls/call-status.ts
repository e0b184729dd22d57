import { Code, ConnectError } from '@connectrpc/connect';
import { Metadata } from '@grpc/grpc-js';
import { encodeStatus } from '../../errors/details.ts';

/** A status as grpc-js takes it; the numbers of its codes are those of Connect's. */
export interface CallStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** Turns an error into the status that ends its call: code, message, and trailers with the details. */
export function callStatus(error: ConnectError): CallStatus {
  const status = plainStatus(error.code, error.rawMessage);
  for (const [name, value] of error.metadata) status.metadata.add(name, value);
  if (error.details.length > 0) {
    const details = Buffer.from(encodeStatus(error.code, error.rawMessage, error.details));
    status.metadata.set('grpc-status-details-bin', details);
  }
  return status;
}

/** Makes a status of code and message alone. */
export function plainStatus(code: Code, details: string): CallStatus {
  return { code, details, metadata: new Metadata() };
}

/** Keeps a ConnectError, which handlers throw on purpose, and replaces anything else by INTERNAL: its message may hold anything. */
export function hideForeign(thrown: unknown): ConnectError {
  return thrown instanceof ConnectError
    ? thrown
    : new ConnectError('The gateway failed.', Code.Internal, undefined, undefined, thrown);
}
