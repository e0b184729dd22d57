import type { TlsEvent } from '../../server/port/tls-options.ts';
import type { LogLevel } from './log-fields.ts';

/** What the log says of transport security. */
export interface TlsLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whether anybody can cause it, so that it is told once a minute. */
  readonly isAlert: boolean;
}

/** Builds the line of an event; undefined at start, where there is nothing to say. */
export function tlsLine(event: TlsEvent): TlsLine | undefined {
  switch (event.kind) {
    case 'loaded': {
      if (event.isFirst) return undefined;
      const fields = { 'understudy.section': event.section, 'tls.server.names': event.names };
      const message = 'certificates have changed, and are used for new connections';
      return { level: 'info', message, fields: { ...fields, 'tls.server.not_after': event.expires }, isAlert: false };
    }
    case 'kept': {
      const message = 'changed certificate files cannot be used: what there was stays in use';
      const fields = { 'understudy.section': event.section, 'understudy.problem': event.problem };
      return { level: 'warn', message, fields, isAlert: false };
    }
    case 'refused': {
      const fields = { 'understudy.listener': event.listener, 'error.type': event.why };
      return { level: 'warn', message: 'TLS: a client was refused', fields, isAlert: true };
    }
  }
}
