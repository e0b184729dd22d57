/** What is exported by OTLP. */
export type Signal = 'traces' | 'metrics';

/** What has become of exports since start; counted up in place. */
export interface ExportFigures {
  readonly exports: Readonly<Record<Signal, { ok: number; failed: number }>>;
  /** Spans for which there was no room, or whose export failed. */
  spansLost: number;
}

/** Returns the figures of a process that has exported nothing. */
export function noExports(): ExportFigures {
  return { exports: { traces: { ok: 0, failed: 0 }, metrics: { ok: 0, failed: 0 } }, spansLost: 0 };
}
