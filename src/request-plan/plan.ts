import type { CallTrace } from '../server/port/observed/call-trace.ts';
import type { Failure } from '../core/failure.ts';
import type { ChainEntry } from '../engine/port/call.ts';
import type { RoutingWish } from '../engine/route/route.ts';
import { streamsUpstream } from '../engine/route/upstream-mode.ts';
import { promptSize } from '../pricing/prompt-size.ts';
import type { PromptSize } from '../pricing/prompt-size.ts';
import type { AllowedUse, Plan, PlanRequest } from '../server/port/gateway-port.ts';
import { formOf } from '../structured-output/answer-form.ts';
import type { AllowedChains } from './allowed-chain.ts';
import { clampMaxTokens } from './clamp-max-tokens.ts';
import { affinityOf, movedWarning } from './conversation-affinity.ts';
import type { EntryWarnings } from './plan-warnings.ts';
import { planWarnings } from './plan-warnings.ts';
import type { EntryContext, RequestInPlan } from './prepare-entry.ts';
import { prepareEntry } from './prepare-entry.ts';
import { spendingBounds } from './spending-bounds.ts';

/** What requests are planned with. */
export interface PlanContext extends EntryContext {
  readonly chains: AllowedChains;
}

/**
 * Plans one request: which targets are asked in which order, and how each of them is asked. A failure names the field and has
 * contacted nobody.
 */
export function planRequest(
  request: PlanRequest,
  callerStreams: boolean,
  context: PlanContext,
  use?: AllowedUse,
  trace?: CallTrace,
): Plan | Failure {
  const chain = context.chains.choose(wishOf(request), use);
  if ('reason' in chain) return chain;
  const size = promptSize(request);
  const warnings: EntryWarnings[] = [];
  const repairSizes = new Map<ChainEntry, PromptSize>();
  const form = formOf(request.options);
  const planned: RequestInPlan = {
    request,
    callerStreams,
    size,
    form,
    warnings,
    repairSizes,
    trace,
    spending: undefined,
    ahead: undefined,
  };
  return {
    chain,
    streams: streamsUpstream(callerStreams, request.options?.maxTokens, 'AUTO'),
    prepare: (entry, spending) => {
      planned.spending = spending;
      return prepareEntry(planned, entry, context);
    },
    size: () => {
      const { provider, model } = chain[0] ?? { provider: '', model: '' };
      return {
        promptTokens: context.accounting.promptTokens(provider, model, size),
        answerTokens: request.options?.maxTokens,
      };
    },
    bounds: () => {
      const [first] = chain;
      if (first === undefined) return undefined;
      const { maxOutputTokens } = context.facts(first.target, first.model) ?? {};
      const { request: clamped } = clampMaxTokens(request, maxOutputTokens);
      const bounds = spendingBounds(clamped, first, size, context.accounting);
      if ('reason' in bounds) return undefined;
      planned.ahead = { entry: first, bounds };
      return bounds;
    },
    affinity: affinityOf(request, chain),
    warnings: (serving, moved) => {
      const { ownHost = true } = context.targets.get(serving.target)?.config ?? {};
      const own = planWarnings(request.model, warnings, serving, ownHost);
      return moved === undefined ? own : own.concat(movedWarning(request, moved));
    },
    account: (attempt) => {
      const repairSize = attempt.kind === 'REPAIR' ? repairSizes.get(attempt.entry) : undefined;
      return context.accounting.account(attempt, repairSize ?? size);
    },
    estimatedUsage: (attempt) => context.accounting.estimatedUsage(attempt),
  };
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
