import type { AttemptTiming } from '../../src/engine/port/call.ts';
import type { EngineConfig } from '../../src/engine/port/config.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../src/engine/port/config.ts';
import type { SimRequest, Tape } from './tape.ts';

/** Timers of an attempt without statistics. */
const TIMING: AttemptTiming = {
  streams: true,
  firstOutputMs: 12_000,
  firstOutputAdapts: true,
  mayThink: false,
  promptTokens: 0,
  promptMs: 0,
  progressMs: 30_000,
  answerMs: 0,
};

/** Returns the timers of the attempts of a request. */
export function timingOf({ json, mayThink = false, promptTokens = 0 }: SimRequest): AttemptTiming {
  const promptMs = Math.floor(promptTokens / 10_000) * 1_000;
  return { ...TIMING, streams: !json, mayThink, promptTokens, promptMs, answerMs: json ? 5_000 : 0 };
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
