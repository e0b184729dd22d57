import type { AttemptTiming } from '../../src/engine/port/call.ts';
import type { EngineConfig } from '../../src/engine/port/config.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../src/engine/port/config.ts';
import { attemptTiming } from '../../src/engine/route/timing.ts';
import type { SimRequest, Tape } from './tape.ts';

/** As long an answer as a JSON call may take, in tokens. */
const ANSWER_TOKENS = 50;

/** Returns the timers of the attempts of a request, as they are in production. */
export function timingOf({ json, promptTokens = 0, thinkMs }: SimRequest): AttemptTiming {
  const reasons = thinkMs !== undefined;
  return attemptTiming({
    streams: !json,
    silence: reasons ? 'behind_signs' : 'short',
    ownHost: true,
    usesToolsOrReasoning: reasons,
    maxTokens: ANSWER_TOKENS,
    promptTokens,
  });
}

/** Returns the configuration of the engine in a world. */
export function engineConfig({ config }: Tape): EngineConfig {
  const { order, jitter, maxRepeats, guard, probes = 1, maxActive, maxQueued, maxShare } = config;
  return {
    ...DEFAULT_ENGINE_CONFIG,
    retry: { ...DEFAULT_ENGINE_CONFIG.retry, order, jitter, maxRepeats },
    admission: { ...DEFAULT_ENGINE_CONFIG.admission, maxActive, maxQueued, maxShare },
    circuitBreaker: { ...DEFAULT_ENGINE_CONFIG.circuitBreaker, guard, probes },
  };
}
