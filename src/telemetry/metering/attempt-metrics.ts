import type { Registry } from 'prom-client';

import type { TokenUsage } from '../../core/ports.ts';
import { isAmount, toSeconds } from './amounts.ts';
import type { CallCost, EndedAttempt } from '../report/call-report.ts';
import { perEntry } from './entry-series.ts';
import { DURATION_BUCKETS } from '../report/gen-ai.ts';
import { createTalliedCounter, createTalliedHistogram, type TalliedCounter, type Tally } from './tally.ts';

const NANO_USD_PER_USD = 1e9;

const ENTRY_LABELS = ['target', 'provider', 'model'] as const;

interface EntryLabels {
  readonly target: string;
  readonly provider: string;
  readonly model: string;
}

/** Types of tokens: their names in metrics, and where they are counted. */
const TOKEN_TYPES: readonly (readonly [type: string, count: (usage: TokenUsage) => number | undefined])[] = [
  ['input', (usage) => usage.inputTokens],
  ['cached_input', (usage) => usage.cachedInputTokens],
  ['cache_write', (usage) => usage.cacheWriteTokens],
  ['output', (usage) => usage.outputTokens],
  ['reasoning', (usage) => usage.reasoningTokens],
];

/**
 * Makes the metrics of attempts and returns the function that records one. `model` is the key of the circuit, of which a
 * target has few, and never what a caller wrote.
 */
export function createAttemptRecorder(registry: Registry): (attempt: EndedAttempt, traceId?: string) => void {
  const registers = [registry];
  const attempts = createTalliedCounter({
    name: 'understudy_attempts_total',
    help: 'Attempts on targets that have ended, and targets that were passed over (kind SKIPPED).',
    labelNames: [...ENTRY_LABELS, 'kind', 'outcome'],
    registers,
  });
  const duration = createTalliedHistogram({
    name: 'understudy_attempt_duration_seconds',
    help: 'Duration of attempts.',
    labelNames: [...ENTRY_LABELS, 'result'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const firstOutput = createTalliedHistogram({
    name: 'understudy_attempt_first_output_seconds',
    help: 'Time from the start of an attempt to its first output.',
    labelNames: ENTRY_LABELS,
    buckets: DURATION_BUCKETS,
    registers,
  });
  const tokens = createTalliedCounter({
    name: 'understudy_tokens_total',
    help: 'Tokens that providers reported. cached_input and cache_write are parts of input, reasoning is a part of output.',
    labelNames: [...ENTRY_LABELS, 'type'],
    registers,
  });
  const openCost = createCostCounter(registry);
  const seriesOf = perEntry(({ target, provider, circuit }) => {
    const labels: EntryLabels = { target, provider, model: circuit };
    return {
      labels,
      ok: duration.open({ ...labels, result: 'ok' }),
      failed: duration.open({ ...labels, result: 'failed' }),
      firstOutput: firstOutput.open(labels),
      succeeded: new Map<string, Tally>(),
      countTokens: createTokenCount(tokens, labels),
      countCost: openCost(labels),
    };
  });
  return ({ record, cost, spanId }, traceId) => {
    const { entry, kind, failure } = record;
    const series = seriesOf(entry);
    const { labels } = series;
    if (failure === undefined) {
      const succeeded = series.succeeded.get(kind) ?? attempts.open({ ...labels, kind, outcome: 'OK' });
      series.succeeded.set(kind, succeeded);
      succeeded(1);
    } else {
      attempts.open({ ...labels, kind, outcome: failure.reason })(1);
    }
    if (kind === 'SKIPPED') return;
    const span =
      traceId === undefined || spanId === undefined
        ? undefined
        : { traceId, spanId, atMs: record.startedAtWallMs + record.durationMs };
    if (isAmount(record.durationMs)) {
      const tally = failure === undefined ? series.ok : series.failed;
      tally(toSeconds(record.durationMs), span);
    }
    if (isAmount(record.firstOutputMs)) series.firstOutput(toSeconds(record.firstOutputMs), span);
    if (record.usage !== undefined) series.countTokens(record.usage);
    if (cost !== undefined) series.countCost(cost);
  };
}

function createTokenCount(
  counter: TalliedCounter<keyof EntryLabels | 'type'>,
  labels: EntryLabels,
): (usage: TokenUsage) => void {
  const tallies = new Map<string, Tally>();
  return (usage) => {
    for (const [type, count] of TOKEN_TYPES) {
      const value = count(usage);
      if (!isAmount(value) || value === 0) continue;
      const tally = tallies.get(type) ?? counter.open({ ...labels, type });
      tallies.set(type, tally);
      tally(value);
    }
  };
}

function createCostCounter(registry: Registry): (labels: EntryLabels) => (cost: CallCost) => void {
  const counter = createTalliedCounter({
    name: 'understudy_cost_usd_total',
    help: 'What attempts cost, in USD. What is not known is not in it.',
    labelNames: [...ENTRY_LABELS, 'source'],
    registers: [registry],
  });
  const unknown = createTalliedCounter({
    name: 'understudy_cost_unknown_total',
    help: 'Attempts whose cost is not known.',
    labelNames: ENTRY_LABELS,
    registers: [registry],
  });
  return (labels) => {
    const tallies = new Map<string, Tally>();
    return ({ nanoUsd, source }) => {
      if (nanoUsd === undefined) {
        unknown.open(labels)(1);
        return;
      }
      const tally = tallies.get(source) ?? counter.open({ ...labels, source });
      tallies.set(source, tally);
      tally(Number(nanoUsd) / NANO_USD_PER_USD);
    };
  };
}
