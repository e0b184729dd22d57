import { create } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';

import { ReasoningEffort } from '../../gen/understudy/v1/chat_pb.ts';
import { WarningCode, WarningSchema } from '../../gen/understudy/v1/routing_pb.ts';
import type { Warning } from '../../gen/understudy/v1/routing_pb.ts';
import type { Accounting } from '../pricing/accounting.ts';
import { withinAnswerLimit } from './clamp-max-tokens.ts';
import type { AnswerForm } from '../structured-output/answer-form.ts';
import { formOf, MISMATCH, repairTurn, withFormCheck } from '../structured-output/answer-form.ts';
import { capabilityGap } from './capability-gap.ts';
import type { Target } from '../targets/target.ts';
import type { Delta, Finish } from '../core/answer.ts';
import type { Failure } from '../core/failure.ts';
import type { ChainEntry, Prepared, Serving } from '../engine/port/call.ts';
import type { RouteTable, RoutingWish } from '../engine/route/route.ts';
import { chooseChain } from '../engine/route/route.ts';
import { attemptTiming } from '../engine/route/timing.ts';
import { streamsUpstream } from '../engine/route/upstream-mode.ts';
import { promptSize } from '../pricing/prompt-size.ts';
import type { PromptSize } from '../pricing/prompt-size.ts';
import type { AdapterWarning } from '../providers/port/adapter.ts';
import type { ModelFacts } from '../providers/port/model-facts.ts';
import { withLocalStop } from '../providers/shared/stop.ts';
import type { Plan, PlanRequest } from '../server/port/gateway-port.ts';

/** Tokens that an answer is thought to have where the request sets no limit. */
const UNLIMITED_ANSWER_TOKENS = 1_024;

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

/** What requests are planned with. */
export interface PlanContext {
  readonly routeTable: RouteTable;
  readonly targets: ReadonlyMap<string, Target>;
  readonly accounting: Accounting;
  /** Returns what is known of a model of a target. */
  readonly facts: (target: string, model: string) => ModelFacts | undefined;
}

/** A request while its entries are prepared. */
interface Asked {
  readonly request: PlanRequest;
  readonly callerStreams: boolean;
  readonly size: PromptSize;
  readonly form: AnswerForm | undefined;
  readonly warnings: EntryWarnings[];
  /** The prompts that asked for mended answers. */
  readonly repairSizes: Map<ChainEntry, PromptSize>;
}

/** What an adapter said when it translated the request for an entry. */
interface EntryWarnings {
  readonly entry: ChainEntry;
  readonly list: readonly AdapterWarning[];
}

/**
 * Plans one request: which targets are asked in which order, and how each of them is asked. A failure names the field and has
 * contacted nobody.
 */
export function planRequest(request: PlanRequest, callerStreams: boolean, context: PlanContext): Plan | Failure {
  const chain = chooseChain(wishOf(request), context.routeTable);
  if ('reason' in chain) return chain;
  const size = promptSize(request);
  const warnings: EntryWarnings[] = [];
  const repairSizes = new Map<ChainEntry, PromptSize>();
  const asked: Asked = { request, callerStreams, size, form: formOf(request.options), warnings, repairSizes };
  return {
    chain,
    streams: streamsUpstream(callerStreams, request.options?.maxTokens, 'AUTO'),
    prepare: (entry) => prepare(asked, entry, context),
    warnings: (serving) => substitution(request.model, serving).concat(dropped(warnings, serving)),
    account: (attempt) => {
      const repairSize = attempt.kind === 'REPAIR' ? repairSizes.get(attempt.entry) : undefined;
      return context.accounting.account(attempt, repairSize ?? size);
    },
  };
}

function prepare(asked: Asked, entry: ChainEntry, context: PlanContext): Prepared<Delta, Finish> | Failure {
  const { callerStreams, size, warnings } = asked;
  const { targets, accounting, facts } = context;
  const target = targets.get(entry.target);
  if (target === undefined) throw new Error('The chain names a target that the gateway does not have.');
  if (entry.model === '') return NO_MODEL;
  const { adapter, config, upstream } = target;
  const { name, provider } = config;
  const promptTokens = accounting.promptTokens(provider, entry.model, size);
  const known = facts(name, entry.model) ?? {};
  const { request, warnings: limited } = withinAnswerLimit(asked.request, known.maxOutputTokens);
  const gap = capabilityGap(request, promptTokens, known);
  if (gap !== undefined) return gap;
  const limitUsd = request.routing?.maxCostUsd;
  const outputTokens = request.options?.maxTokens ?? UNLIMITED_ANSWER_TOKENS;
  if (limitUsd !== undefined && !accounting.isWithin(limitUsd, entry, size, outputTokens)) return TOO_EXPENSIVE;
  const streams = streamsUpstream(callerStreams, request.options?.maxTokens, config.upstreamMode ?? 'AUTO');
  const wire = adapter.request(request, { name, provider, model: entry.model, stream: streams });
  if ('reason' in wire) return wire;
  const adjusted = limited.length === 0 ? wire.warnings : [...limited, ...wire.warnings];
  const loss = request.routing?.strict === true ? adjusted.find(isLoss) : undefined;
  if (loss !== undefined) return refused(loss);
  const list = wire.localSchema === true ? [...adjusted, LOCAL_SCHEMA] : adjusted;
  if (list.length > 0) warnings.push({ entry, list });
  return {
    timing: timingOf(request, streams, entry, target, promptTokens),
    tokens: { input: promptTokens, output: outputTokens },
    ...judged(asked, entry, context, (sink) =>
      upstream.open(
        { wire, model: entry.model, stream: streams, wrapReader: (reader) => withLocalStop(reader, wire.localStop) },
        sink,
      ),
    ),
  };
}

/** Has whole answers checked, where the request asks for a form. */
function judged(
  asked: Asked,
  entry: ChainEntry,
  context: PlanContext,
  open: Prepared<Delta, Finish>['open'],
): Pick<Prepared<Delta, Finish>, 'open' | 'judge'> {
  const { form, request, repairSizes } = asked;
  if (form === undefined) return { open };
  const { check, isStrict, repairSchema } = form;
  let answer = '';
  const repair = (mismatch: string, schema: string) => () => {
    const messages = [...request.messages, ...repairTurn(answer, mismatch, schema)];
    const size = promptSize({ ...request, messages });
    repairSizes.set(entry, size);
    const again = { ...asked, request: { ...request, messages }, size, form: { ...form, repairSchema: undefined } };
    return prepare(again, entry, context);
  };
  return {
    open: (sink) =>
      open(
        withFormCheck(sink, check, (text) => {
          answer = text;
        }),
      ),
    judge: ({ mismatch }) => {
      if (mismatch === undefined || (!isStrict && repairSchema === undefined)) return undefined;
      return {
        failure: MISMATCH,
        isTolerable: !isStrict,
        repair: repairSchema === undefined ? undefined : repair(mismatch, repairSchema),
      };
    },
  };
}

function timingOf(
  { options, tools, routing }: PlanRequest,
  streams: boolean,
  { model }: ChainEntry,
  { adapter, config: { timeouts } }: Target,
  promptTokens: number,
) {
  const effort = options?.reasoningEffort ?? ReasoningEffort.UNSPECIFIED;
  const asksForReasoning = effort !== ReasoningEffort.UNSPECIFIED && effort !== ReasoningEffort.NONE;
  const isSilent = effort !== ReasoningEffort.NONE && adapter.mayBeSilent(model);
  return attemptTiming({
    streams,
    mayBeSilent: asksForReasoning || isSilent,
    usesToolsOrReasoning: tools.length > 0 || asksForReasoning || isSilent,
    maxTokens: options?.maxTokens,
    promptTokens,
    firstOutputMs: timeouts.firstOutputMs,
    progressMs: timeouts.progressMs,
    requestFirstOutputMs:
      routing?.firstOutputTimeout === undefined ? undefined : durationMs(routing.firstOutputTimeout),
  });
}

function wishOf({ model, routing }: PlanRequest): RoutingWish {
  return {
    model,
    route: routing?.route ?? '',
    targets: routing?.targets ?? [],
    preferredProvider: routing?.preferredProvider ?? '',
    disableFallback: routing?.disableFallback ?? false,
    exactModel: routing?.exactModel ?? false,
  };
}

/** A state that another target made is no parameter: without it the call asks for all that it did (contract, "provider_state"). */
function isLoss({ code }: AdapterWarning): boolean {
  return code !== WarningCode.PROVIDER_STATE_DROPPED;
}

function refused({ field, message }: AdapterWarning): Failure {
  return { class: 'capability', reason: 'UNSUPPORTED_PARAMETER', message, field };
}

/** The warning that a target has answered with another model than the requested one (product, "Words"). */
function substitution(requested: string, { target, requestedModel }: Serving): Warning[] {
  if (requested === '' || requested === requestedModel || requested === `${target}/${requestedModel}`) return [];
  const code = WarningCode.MODEL_SUBSTITUTED;
  const message = 'The target does not have the requested model and answered with its own.';
  return [create(WarningSchema, { code, field: 'model', target, message })];
}

function dropped(warnings: readonly EntryWarnings[], serving: Serving): Warning[] {
  for (const { entry, list } of warnings) {
    if (entry.target !== serving.target || entry.model !== serving.requestedModel) continue;
    return list.map(({ code, field, message }) =>
      create(WarningSchema, { code, field, target: entry.target, message }),
    );
  }
  return [];
}
