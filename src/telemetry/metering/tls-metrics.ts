import { Counter, Gauge, type Registry } from 'prom-client';

import type { ListenerName, TlsEvent } from '../../server/port/tls-options.ts';

const LISTENERS = {
  'gRPC door': 'grpc',
  'web door': 'web',
  'admin listener': 'admin',
} as const satisfies Record<ListenerName, string>;

/** Makes the metrics of transport security, which are there once there is TLS; returns what hears of its events. */
export function createTlsRecorder(registry: Registry): (event: TlsEvent) => void {
  let metrics: ReturnType<typeof register> | undefined;
  return (event) => {
    metrics ??= register(registry);
    if (event.kind === 'loaded') metrics.expires.set({ section: event.section }, event.expiresAtMs / 1_000);
    if (event.kind !== 'refused') metrics.isCurrent.set({ section: event.section }, event.kind === 'loaded' ? 1 : 0);
    else metrics.refused.inc({ listener: LISTENERS[event.listener] });
  };
}

function register(registry: Registry) {
  const registers = [registry];
  return {
    expires: new Gauge({
      name: 'understudy_tls_certificate_expires_timestamp_seconds',
      help: 'When the first certificate of the chain in use expires, in seconds since the epoch.',
      labelNames: ['section'],
      registers,
    }),
    isCurrent: new Gauge({
      name: 'understudy_tls_files_in_use',
      help: '1: the certificates in use are those in the files; 0: the files have changed and cannot be used.',
      labelNames: ['section'],
      registers,
    }),
    refused: new Counter({
      name: 'understudy_tls_refused_total',
      help: 'Clients that were refused in the handshake or for their certificate.',
      labelNames: ['listener'],
      registers,
    }),
  };
}
