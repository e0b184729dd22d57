import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { CertificateNames } from '../../callers/port/credentials.ts';

/** What calls come over: a session of HTTP/2, or the socket of HTTP/1.1. */
export type CallConnection = Http2Session | Socket;

/** A request over HTTP, as far as its connection goes. */
export interface ConnectedRequest {
  readonly socket: Socket;
  /** Of HTTP/2 alone. */
  readonly stream?: { readonly session?: Http2Session | undefined } | undefined;
}

/** Kinds of alternative names that name who shows them. */
const NAME_KINDS: ReadonlySet<string> = new Set(['DNS', 'URI', 'IP Address', 'email']);

/** A name as Node writes it: `KIND:value`, the value in quotes as in JSON where it could be misread (CVE-2021-44532). */
const NAME = /([A-Za-z0-9 ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;

const KNOWN = new WeakMap<CallConnection, CertificateNames | 'none'>();

/**
 * Returns the names in the certificate that the client of a connection has shown and an authority of ours has signed; undefined
 * where there is none. Read once for each connection.
 */
export function clientCertificate(connection: CallConnection): CertificateNames | undefined {
  let known = KNOWN.get(connection);
  if (known === undefined) {
    known = readNames(connection) ?? 'none';
    KNOWN.set(connection, known);
  }
  return known === 'none' ? undefined : known;
}

/** As {@link clientCertificate}, for the connection that a request over HTTP came by. */
export function clientCertificateOf(request: ConnectedRequest): CertificateNames | undefined {
  const connection = connectionOf(request);
  return connection && clientCertificate(connection);
}

/** Returns what a request over HTTP came by; undefined where that is gone. */
export function connectionOf({ stream, socket }: ConnectedRequest): CallConnection | undefined {
  return stream === undefined ? socket : stream.session;
}

/** Reads alternative names as Node writes them. Throws nothing; what cannot be read ends the list. */
export function alternativeNames(text: string): readonly string[] {
  const names: string[] = [];
  for (const [, kind = '', value = ''] of text.matchAll(NAME)) {
    if (NAME_KINDS.has(kind)) names.push(value.startsWith('"') ? unquoted(value) : value);
  }
  return names;
}

function readNames(connection: CallConnection): CertificateNames | undefined {
  try {
    const socket = 'socket' in connection ? connection.socket : connection;
    // The socket of an HTTP/2 session is a proxy of the real one.
    if (!isTls(socket) || !socket.authorized) return undefined;
    const { subject, subjectaltname = '' } = socket.getPeerCertificate();
    if (subject === undefined) return undefined;
    return { alternativeNames: alternativeNames(subjectaltname) };
  } catch {
    // The connection is gone.
    return undefined;
  }
}

function isTls(socket: Socket | TLSSocket): socket is TLSSocket {
  return socket instanceof TLSSocket || 'getPeerCertificate' in socket;
}

function unquoted(value: string): string {
  const parsed: unknown = JSON.parse(value);
  return String(parsed);
}
