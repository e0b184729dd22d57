import type { CostBounds } from '../core/money.ts';
import { type AttemptSink, BYTES_PER_TOKEN } from '../core/ports.ts';
import type { Failure } from '../core/failure.ts';
import type { ChainEntry, Prepared } from '../engine/port/call.ts';
import { UNLIMITED_ANSWER_TOKENS } from '../engine/route/timing.ts';
import type { Accounting } from '../pricing/accounting.ts';
import type { PromptSize } from '../pricing/prompt-size.ts';
import type { PlanRequest, Spending } from '../server/port/gateway-port.ts';
import { uncountedField } from './uncounted-fields.ts';

/** Fields of the providers' own requests by which answers are bounded; they win over `options.max_tokens`. */
const LENGTH_FIELDS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'num_predict'] as const;
/** Those that ask for another price. */
const TIER_FIELDS = ['service_tier', 'speed'] as const;

const NO_PRICE: Failure = {
  class: 'capability',
  reason: 'COST_LIMIT_EXCEEDED',
  message: 'The price of the model is not known, so that it cannot be counted against a budget.',
  field: 'model',
};

/** Returns what an attempt on an entry may cost; a failure where nobody knows that. */
export function spendingBounds(
  { options }: Pick<PlanRequest, 'options'>,
  entry: ChainEntry,
  size: PromptSize,
  accounting: Accounting,
): CostBounds | Failure {
  const own = options?.providerOptions[entry.provider];
  if (own === undefined) return accounting.costBounds(entry, size, answerOf(options?.maxTokens), []) ?? NO_PRICE;
  const uncounted = uncountedField(own);
  if (uncounted !== undefined) return notCounted(`options.provider_options.${entry.provider}.${uncounted}`);
  return boundsOfOwn(own, options?.maxTokens, entry, size, accounting) ?? NO_PRICE;
}

/** The leave of the attempts on one entry. */
interface Leave {
  readonly asked: Pick<Prepared<unknown, unknown>, 'claim' | 'giveBack'>;
  /** Listens to an answer that the request does not bound: it ends where it grows beyond what is left. */
  listen<Output, Final>(sink: AttemptSink<Output, Final>): AttemptSink<Output, Final>;
}

/** Makes each attempt on an entry ask leave for what it may cost. */
export function leaveWithin(spending: Spending, bounds: CostBounds): Leave {
  return {
    asked: { claim: (remainingMs) => spending.claim(bounds, remainingMs), giveBack: () => spending.giveBack() },
    listen: (sink) => (bounds.open === undefined ? sink : listening(spending, sink)),
  };
}

function listening<Output, Final>(spending: Spending, sink: AttemptSink<Output, Final>): AttemptSink<Output, Final> {
  let bytes = 0;
  let isComplete = false;
  // Behind all that has come with it: an answer that is there to its end is paid, and tells what it has cost.
  const refused = (failure: Failure): void =>
    queueMicrotask(() => {
      if (!isComplete) sink({ type: 'error', failure });
    });
  return (event) => {
    if (event.type === 'terminal') isComplete = true;
    sink(event);
    if (event.type !== 'output') return;
    bytes += event.bytes;
    // The next piece, probably as long as this one, is to be covered before it comes.
    spending.grown((bytes + event.bytes) / BYTES_PER_TOKEN, refused);
  };
}

function notCounted(field: string): Failure {
  const message = 'The field may cost more than tokens, which cannot be counted against a budget.';
  return { class: 'capability', reason: 'COST_LIMIT_EXCEEDED', message, field };
}

/** Fields that a caller lays over the request may make it dearer. */
function boundsOfOwn(
  own: object,
  maxTokens: number | undefined,
  entry: ChainEntry,
  size: PromptSize,
  accounting: Accounting,
): CostBounds | undefined {
  const fields = new Map<string, unknown>([
    ...Object.entries(own),
    // Ollama has its options in an object of their own.
    ...Object.entries(Object(new Map(Object.entries(own)).get('options'))),
  ]);
  const lengths = LENGTH_FIELDS.filter((name) => fields.has(name)).map((name) => fields.get(name));
  const known = lengths.filter((value) => typeof value === 'number' && value > 0).map(Number);
  // null, -1 and the like lift the bound that the request has set.
  const isLifted = known.length < lengths.length;
  const most = Math.max(maxTokens ?? 0, ...known);
  const guess = { tokens: Math.max(most, UNLIMITED_ANSWER_TOKENS), isBounded: false };
  const { tokens, isBounded } = isLifted ? guess : answerOf(most > 0 ? most : maxTokens);
  const tiers = TIER_FIELDS.map((name) => fields.get(name)).filter((value) => typeof value === 'string');
  // A prompt may stand among them, too.
  const whole = { ...size, bytes: size.bytes + Buffer.byteLength(JSON.stringify(own)) };
  return accounting.costBounds(entry, whole, { tokens, isBounded }, tiers);
}

function answerOf(maxTokens: number | undefined) {
  return { tokens: maxTokens ?? UNLIMITED_ANSWER_TOKENS, isBounded: maxTokens !== undefined };
}
