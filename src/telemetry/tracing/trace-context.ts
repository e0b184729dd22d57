/** Where a caller's trace goes on, as its headers say (W3C Trace Context, level 1). */
export interface TraceContext {
  readonly traceId: string;
  /** Of the caller's span. */
  readonly spanId: string;
  readonly isSampled: boolean;
  /** What tracing systems before this one want to be passed on; absent: nothing. */
  readonly state?: string | undefined;
}

/** Version, trace id, parent id, flags; a version to come may have more behind them. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** The flag of a trace whose spans are exported. */
const SAMPLED = 1;
/** Most characters and members of a tracestate that are passed on. */
const MAX_STATE_LENGTH = 512;
const MAX_MEMBERS = 32;
/** A member as the standard writes it: nothing of it can end a header. */
const MEMBER = /^(?:[a-z0-9][a-z0-9_\-*/@]{0,255})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * Reads the headers of a call; undefined where they name no trace. A `tracestate` that cannot be read is left out, as is one
 * that is longer than 512 characters.
 */
export function readTraceContext(traceparent: string | null, tracestate: string | null): TraceContext | undefined {
  if (traceparent === null) return undefined;
  const [, traceId, spanId, flags = '', more] = TRACEPARENT.exec(traceparent.trim()) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  // Version 00 has nothing behind its flags.
  if (more !== undefined && traceparent.startsWith('00')) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED;
  return { traceId, spanId, isSampled, state: tracestate === null ? undefined : readState(tracestate) };
}

/** Writes the `traceparent` of a span. */
export function traceparentOf(traceId: string, spanId: string, isSampled: boolean): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

function readState(tracestate: string): string | undefined {
  const members = tracestate
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
  if (members.length === 0 || members.length > MAX_MEMBERS) return undefined;
  const state = members.join(',');
  return state.length <= MAX_STATE_LENGTH && members.every((member) => MEMBER.test(member)) ? state : undefined;
}
