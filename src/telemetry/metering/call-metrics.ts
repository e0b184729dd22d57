import type { Registry } from 'prom-client';

import { isAmount, toSeconds } from './amounts.ts';
import type { CallReport } from '../report/call-report.ts';
import { perEntry, type SeriesEntry } from './entry-series.ts';
import { DURATION_BUCKETS, genAiProvider, OPERATION, TOKEN_BUCKETS } from '../report/gen-ai.ts';
import { createTalliedCounter, createTalliedHistogram, type Tally } from './tally.ts';

/** Attributes of OpenTelemetry's GenAI metrics in the spelling of Prometheus, and our target. */
const GEN_AI_LABELS = [
  'gen_ai_operation_name',
  'gen_ai_provider_name',
  'gen_ai_request_model',
  'understudy_target',
] as const;

/**
 * Makes the metrics of calls and returns the function that records one. What a call took and used is put down to the
 * target that it ended with; a call that was answered without asking any is only counted.
 */
export function createCallRecorder(registry: Registry): (end: CallReport) => void {
  const registers = [registry];
  const calls = createTalliedCounter({
    name: 'understudy_calls_total',
    help: 'Calls that have ended.',
    labelNames: ['method', 'status', 'reason'],
    registers,
  });
  // A rate needs a zero to rise from.
  const succeeded = {
    Generate: calls.open({ method: 'Generate', status: 'OK' }),
    Chat: calls.open({ method: 'Chat', status: 'OK' }),
    StreamChat: calls.open({ method: 'StreamChat', status: 'OK' }),
  } as const satisfies Record<CallReport['method'], Tally>;
  const duration = createTalliedHistogram({
    name: 'gen_ai_client_operation_duration_seconds',
    help: 'Duration of calls that asked a provider, all attempts and waits included.',
    labelNames: [...GEN_AI_LABELS, 'error_type'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const firstChunk = createTalliedHistogram({
    name: 'gen_ai_client_operation_time_to_first_chunk_seconds',
    help: 'Time from the arrival of a streaming call to the first piece of its answer.',
    labelNames: GEN_AI_LABELS,
    buckets: DURATION_BUCKETS,
    registers,
  });
  const tokens = createTalliedHistogram({
    name: 'gen_ai_client_token_usage',
    help: 'Tokens of the attempt that answered, as its provider reported them.',
    labelNames: [...GEN_AI_LABELS, 'gen_ai_token_type'],
    buckets: TOKEN_BUCKETS,
    registers,
  });
  const seriesOf = perEntry((entry) => {
    const labels = genAiLabels(entry);
    const failed = new Map<string, Tally>();
    return {
      duration: duration.open(labels),
      failedDuration: (reason: string): Tally => {
        const tally = failed.get(reason) ?? duration.open({ ...labels, error_type: reason });
        failed.set(reason, tally);
        return tally;
      },
      firstChunk: firstChunk.open(labels),
      input: tokens.open({ ...labels, gen_ai_token_type: 'input' }),
      output: tokens.open({ ...labels, gen_ai_token_type: 'output' }),
    };
  });
  return (end) => {
    const { method, outcome, durationMs, firstOutputMs, usage } = end;
    const { status, reason } = outcome;
    if (reason === undefined) succeeded[method](1);
    else calls.open({ method, status, reason })(1);
    // The last target that was asked is the one that answered where one did.
    const entry = end.attempts.findLast(({ record }) => record.kind !== 'SKIPPED')?.record.entry;
    if (entry === undefined) return;
    const series = seriesOf(entry);
    const { trace, endedAtWallMs: atMs = 0 } = end;
    const span = trace && { traceId: trace.traceId, spanId: trace.spanId, atMs };
    if (isAmount(durationMs)) {
      const tally = reason === undefined ? series.duration : series.failedDuration(reason);
      tally(toSeconds(durationMs), span);
    }
    if (method === 'StreamChat' && isAmount(firstOutputMs)) series.firstChunk(toSeconds(firstOutputMs), span);
    if (isAmount(usage?.inputTokens)) series.input(usage.inputTokens);
    if (isAmount(usage?.outputTokens)) series.output(usage.outputTokens);
  };
}

function genAiLabels({ target, provider, circuit }: SeriesEntry): Record<(typeof GEN_AI_LABELS)[number], string> {
  return {
    gen_ai_operation_name: OPERATION,
    gen_ai_provider_name: genAiProvider(provider),
    gen_ai_request_model: circuit,
    understudy_target: target,
  };
}
