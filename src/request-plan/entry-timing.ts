import { durationMs } from '@bufbuild/protobuf/wkt';

import { ReasoningEffort } from '../../gen/understudy/v1/chat_pb.ts';
import type { AttemptTiming, ChainEntry } from '../engine/port/call.ts';
import { attemptTiming } from '../engine/route/timing.ts';
import type { PlanRequest } from '../server/port/gateway-port.ts';
import type { Target } from '../targets/target.ts';

/** Chooses the timers of an attempt on an entry; `streams`: whether its target is asked for a stream. */
export function entryTiming(
  { options, tools, routing }: PlanRequest,
  streams: boolean,
  { model }: ChainEntry,
  { adapter, config: { timeouts } }: Target,
  promptTokens: number,
): AttemptTiming {
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
