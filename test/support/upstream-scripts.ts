import type { Failure, FailureClass, FailureReason } from '../../src/core/failure.ts';
import type { AttemptEvent, TokenUsage } from '../../src/core/ports.ts';

/** An event of a scripted upstream: outputs are text, the end of an answer is the word that ended it. */
export type ScriptEvent = AttemptEvent<string, string>;

/** One step of a script: so many milliseconds after the step before (or the opening) the event happens. */
export interface Step {
  readonly afterMs: number;
  readonly event: ScriptEvent;
}

/** What one upstream call does. An empty one stays silent for ever. */
export type Script = readonly Step[];

/** A step of a script. */
export function after(afterMs: number, event: ScriptEvent): Step {
  return { afterMs, event };
}

/** Headers with a status. */
export function headers(status = 200): ScriptEvent {
  return { type: 'headers', status };
}

/** Something that is not part of the answer: a keep-alive, a role delta, `message_start`. */
export function startup(model?: string): ScriptEvent {
  return { type: 'startup', bytes: 10, model };
}

/** A piece of the answer. */
export function output(text: string): ScriptEvent {
  return { type: 'output', value: text, bytes: text.length };
}

/** What the provider counted. */
export function usage(counted: TokenUsage): ScriptEvent {
  return { type: 'usage', usage: counted };
}

/** The provider's sign that the answer is complete. */
export function terminal(word = 'stop'): ScriptEvent {
  return { type: 'terminal', final: word };
}

/** The end of the body. */
export const END: ScriptEvent = { type: 'end' };

/** Never says anything. */
export const SILENCE: Script = [];

/** A whole answer: headers after `firstMs`, its pieces in the same moment, then the terminal marker, usage and the end. */
export function answer(firstMs: number, ...texts: readonly string[]): Script {
  const steps = texts.map((text) => after(0, output(text)));
  const counted = usage({ inputTokens: 7, outputTokens: texts.length, totalTokens: 7 + texts.length });
  return [after(firstMs, headers()), ...steps, after(0, terminal()), after(0, counted), after(0, END)];
}

/** Reasons that go with the classes, as adapters give them. */
const REASONS = {
  connect: 'PROVIDER_UNAVAILABLE',
  tls: 'PROVIDER_UNAVAILABLE',
  stale_socket: 'PROVIDER_UNAVAILABLE',
  reset: 'PROVIDER_UNAVAILABLE',
  silence: 'PROVIDER_TIMEOUT',
  cut_short: 'DEADLINE',
  overload: 'PROVIDER_UNAVAILABLE',
  rate_limit: 'PROVIDER_RATE_LIMITED',
  quota: 'PROVIDER_QUOTA_EXHAUSTED',
  auth: 'PROVIDER_AUTH_FAILED',
  not_found: 'PROVIDER_MODEL_NOT_FOUND',
  bad_request: 'INVALID_REQUEST',
  capability: 'CONTEXT_LENGTH_EXCEEDED',
  content: 'PROMPT_BLOCKED',
  protocol: 'PROVIDER_PROTOCOL_ERROR',
  conflict: 'PROVIDER_UNAVAILABLE',
  interrupted: 'STREAM_INTERRUPTED',
  client_cancel: 'CANCELLED',
  slow_reader: 'SLOW_READER',
  local_refusal: 'CIRCUIT_OPEN',
  internal: 'INTERNAL',
  mismatch: 'SCHEMA_MISMATCH',
  budget: 'BUDGET_EXHAUSTED',
} as const satisfies Record<FailureClass, FailureReason>;

/** A failure of a class, with the reason that goes with it. */
export function failure(failureClass: FailureClass, more: Partial<Failure> = {}): Failure {
  const neverSent = failureClass === 'connect' || failureClass === 'tls' ? true : undefined;
  return { class: failureClass, reason: REASONS[failureClass], message: 'A scripted failure.', neverSent, ...more };
}

/** Fails with a class after so many milliseconds, before any output. */
export function fails(failureClass: FailureClass, more: Partial<Failure> = {}, afterMs = 10): Script {
  return [after(afterMs, { type: 'error', failure: failure(failureClass, more) })];
}

/** Gives some output, then fails. */
export function breaksAfter(texts: readonly string[], failureClass: FailureClass, gapMs = 10): Script {
  const steps = texts.map((text) => after(gapMs, output(text)));
  return [after(gapMs, headers()), ...steps, after(gapMs, { type: 'error', failure: failure(failureClass) })];
}

/** Sends keep-alives and nothing else, for ever as far as tests go. */
export function keepAlives(everyMs: number, count = 1_000): Script {
  return [after(0, headers()), ...Array.from({ length: count }, () => after(everyMs, startup()))];
}
