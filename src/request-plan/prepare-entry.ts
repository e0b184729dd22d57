import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import type { Delta, Finish } from '../core/answer.ts';
import type { CallTrace } from '../server/port/observed/call-trace.ts';
import type { CostBounds } from '../core/money.ts';
import type { Failure } from '../core/failure.ts';
import type { ChainEntry, Prepared } from '../engine/port/call.ts';
import { UNLIMITED_ANSWER_TOKENS } from '../engine/route/timing.ts';
import { streamsUpstream } from '../engine/route/upstream-mode.ts';
import type { Accounting } from '../pricing/accounting.ts';
import { promptSize } from '../pricing/prompt-size.ts';
import type { PromptSize } from '../pricing/prompt-size.ts';
import type { AdapterWarning, EventReader } from '../providers/port/adapter.ts';
import type { ModelFacts } from '../providers/port/model-facts.ts';
import { withFreshCallIds } from '../providers/shared/fresh-call-ids.ts';
import { withLocalStop } from '../providers/shared/stop.ts';
import type { PlanRequest, Spending } from '../server/port/gateway-port.ts';
import type { AnswerForm } from '../structured-output/answer-form.ts';
import type { Target } from '../targets/target.ts';
import { capabilityGap } from './capability-gap.ts';
import { clampMaxTokens } from './clamp-max-tokens.ts';
import { entryTiming } from './entry-timing.ts';
import { judgedAnswer } from './judged-answer.ts';
import { learnQuirk } from './learn-quirk.ts';
import type { EntryWarnings } from './plan-warnings.ts';
import { leaveWithin, spendingBounds } from './spending-bounds.ts';

const NO_MODEL: Failure = {
  class: 'local_refusal',
  reason: 'PROVIDER_UNAVAILABLE',
  message: 'No model is configured for the target, and it could not be asked for one.',
};

const TOO_EXPENSIVE: Failure = {
  class: 'capability',
  reason: 'COST_LIMIT_EXCEEDED',
  message: 'The estimated cost is above the limit, or unknown.',
  field: 'routing.max_cost_usd',
};

const LOCAL_SCHEMA: AdapterWarning = {
  code: WarningCode.PARAMETER_ADJUSTED,
  field: 'options.response_format',
  message: 'The provider takes no schema: it was asked for JSON, and the answer was checked by the gateway.',
};

/** What entries are prepared with. */
export interface EntryContext {
  readonly targets: ReadonlyMap<string, Target>;
  readonly accounting: Accounting;
  /** Returns what is known of a model of a target. */
  readonly facts: (target: string, model: string) => ModelFacts | undefined;
}

/** A request while its entries are prepared, each when its turn comes. */
export interface RequestInPlan {
  readonly request: PlanRequest;
  readonly callerStreams: boolean;
  readonly size: PromptSize;
  readonly form: AnswerForm | undefined;
  /** Grows with each entry that cannot be asked for all that the request says. */
  readonly warnings: EntryWarnings[];
  /** The sizes of the prompts that ask for mended answers; grows with each of them. */
  readonly repairSizes: Map<ChainEntry, PromptSize>;
  /** Whose leave attempts need, which all are of one call; undefined: nobody's. */
  spending: Spending | undefined;
  /** What attempts on an entry may cost, where that was asked before its turn. */
  ahead: { readonly entry: ChainEntry; readonly bounds: CostBounds } | undefined;
  /** Told to the providers; undefined where none is. */
  readonly trace?: CallTrace | undefined;
}

/**
 * Prepares one entry of the chain: translates the request for its target and chooses its timers. A failure says why the entry
 * cannot be asked; nobody was contacted. Throws an Error where the chain names a target that does not exist.
 */
export function prepareEntry(
  planned: RequestInPlan,
  entry: ChainEntry,
  context: EntryContext,
): Prepared<Delta, Finish> | Failure {
  const { callerStreams, size, warnings } = planned;
  const { targets, accounting, facts } = context;
  const target = targets.get(entry.target);
  if (target === undefined) throw new Error('The chain names a target that the gateway does not have.');
  if (entry.model === '') return NO_MODEL;
  const { adapter, config, upstream } = target;
  const { name, provider, ownHost } = config;
  accounting.expect(entry);
  const promptTokens = accounting.promptTokens(provider, entry.model, size);
  const known = facts(name, entry.model) ?? {};
  const { request, warnings: limited } = clampMaxTokens(planned.request, known.maxOutputTokens);
  // What images and files come to is a guess that may be ten times too high: no reason to pass a model over.
  const gap = capabilityGap(request, promptTokens - size.mediaTokens, known);
  if (gap !== undefined) return gap;
  const limitUsd = request.routing?.maxCostUsd;
  const outputTokens = request.options?.maxTokens ?? UNLIMITED_ANSWER_TOKENS;
  if (limitUsd !== undefined && !accounting.isWithin(limitUsd, entry, size, outputTokens)) return TOO_EXPENSIVE;
  const { spending } = planned;
  const { ahead } = planned;
  const bounds = spending && (ahead?.entry === entry ? ahead.bounds : spendingBounds(request, entry, size, accounting));
  if (bounds !== undefined && 'reason' in bounds) return bounds;
  const leave = spending && bounds && leaveWithin(spending, bounds);
  const streams = streamsUpstream(callerStreams, request.options?.maxTokens, config.upstreamMode ?? 'AUTO');
  const at = { name, provider, model: entry.model, stream: streams, ownHost, quirks: target.quirks.of(entry.model) };
  const wire = adapter.request(request, at);
  if ('reason' in wire) return wire;
  const adjusted = limited.length === 0 ? wire.warnings : [...limited, ...wire.warnings];
  const loss = request.routing?.strict === true ? adjusted.find(isLoss) : undefined;
  if (loss !== undefined) return refused(loss);
  const list = wire.localSchema === true ? [...adjusted, LOCAL_SCHEMA] : adjusted;
  if (list.length > 0) warnings.push({ entry, list });
  // Other servers than the provider's own may let a stop text pass that they were told.
  const stop = ownHost ? wire.localStop : (request.options?.stop ?? []);
  const wrapReader = (reader: EventReader): EventReader =>
    withLocalStop(request.tools.length === 0 ? reader : withFreshCallIds(reader, request.messages), stop);
  const open: Prepared<Delta, Finish>['open'] = (sink) =>
    upstream.open(
      { wire, model: entry.model, stream: streams, ownHeaders: planned.trace?.attempt(), wrapReader },
      leave === undefined ? sink : leave.listen(sink),
    );
  const prepared: Prepared<Delta, Finish> = {
    learns: (failure) => learnQuirk(failure, { chat: request, at, wire }, target),
    timing: entryTiming(request, streams, entry, target, promptTokens),
    tokens: { input: promptTokens, output: outputTokens },
    open,
  };
  const { form } = planned;
  if (leave === undefined && form === undefined) return prepared;
  const judged =
    form && judgedAnswer(form, planned.request.messages, open, prepareRepair(planned, form, entry, context));
  return { ...prepared, ...leave?.asked, ...judged };
}

/** The same entry, asked to mend its answer; it is asked so only once. */
function prepareRepair(planned: RequestInPlan, form: AnswerForm, entry: ChainEntry, context: EntryContext) {
  return (messages: PlanRequest['messages']) => {
    const request = { ...planned.request, messages };
    const size = promptSize(request);
    planned.repairSizes.set(entry, size);
    const repair = { ...planned, request, size, form: { ...form, repairSchema: undefined }, ahead: undefined };
    return prepareEntry(repair, entry, context);
  };
}

/** A state that another target made is no parameter, and the key of a cache is a hint: without them the call asks for all that it did. */
function isLoss({ code, field }: AdapterWarning): boolean {
  return code !== WarningCode.PROVIDER_STATE_DROPPED && field !== 'options.prompt_cache_key';
}

function refused({ field, message }: AdapterWarning): Failure {
  return { class: 'capability', reason: 'UNSUPPORTED_PARAMETER', message, field };
}
