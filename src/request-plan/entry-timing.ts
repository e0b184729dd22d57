import { durationMs } from '@bufbuild/protobuf/wkt';

import { ReasoningEffort } from '../../gen/understudy/v1/chat_pb.ts';
import type { AttemptTiming, ChainEntry } from '../engine/port/call.ts';
import { attemptTiming, isLong } from '../engine/route/timing.ts';
import type { ReasoningWish } from '../providers/port/effort.ts';
import type { PlanRequest } from '../server/port/gateway-port.ts';
import type { Target } from '../targets/target.ts';

/** Chooses the timers of an attempt on an entry; `streams`: whether its target is asked for a stream. */
export function entryTiming(
  { options, tools, routing }: PlanRequest,
  streams: boolean,
  { model }: ChainEntry,
  { adapter, config: { timeouts, ownHost } }: Target,
  promptTokens: number,
): AttemptTiming {
  const reasoning = reasoningWish(options?.reasoningEffort);
  const silence = adapter.silence(model, reasoning);
  const holdsOutputBack = reasoning === 'asked' || (reasoning === 'unsaid' && isLong(silence));
  return attemptTiming({
    streams,
    silence,
    ownHost,
    usesToolsOrReasoning: tools.length > 0 || holdsOutputBack,
    maxTokens: options?.maxTokens,
    promptTokens,
    firstOutputMs: timeouts.firstOutputMs,
    progressMs: timeouts.progressMs,
    requestFirstOutputMs:
      routing?.firstOutputTimeout === undefined ? undefined : durationMs(routing.firstOutputTimeout),
  });
}

function reasoningWish(effort: ReasoningEffort | undefined): ReasoningWish {
  if (effort === undefined || effort === ReasoningEffort.UNSPECIFIED) return 'unsaid';
  return effort === ReasoningEffort.NONE ? 'refused' : 'asked';
}
