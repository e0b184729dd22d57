import { FinishReason } from '../../../gen/understudy/v1/chat_pb.ts';
import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import { type Attempt, AttemptKind, type Warning, WarningCode } from '../../../gen/understudy/v1/routing_pb.ts';
import { type Cost, CostSource, type Usage, UsageSource } from '../../../gen/understudy/v1/usage_pb.ts';
import { alignedTable, printable } from '../../config/port/aligned-table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { enumName } from './enum-name.ts';

/** What the gateway says of a complete answer; the same of Generate, Chat and the last event of StreamChat. */
export interface AnswerFacts {
  readonly target: string;
  readonly model: string;
  readonly finishReason: FinishReason;
  readonly usage?: Usage | undefined;
  readonly cost?: Cost | undefined;
  readonly latencyMs?: number | undefined;
  readonly attempts: readonly Attempt[];
  readonly warnings: readonly Warning[];
  readonly requestId: string;
}

/** Ends that a reader of the text should know of, since the text does not show them. */
const NOTED_ENDS: Readonly<Partial<Record<FinishReason, string>>> = {
  [FinishReason.LENGTH]: 'the answer ends at the limit of tokens',
  [FinishReason.TOOL_CALLS]: 'the model calls tools, which only --json shows',
  [FinishReason.CONTENT_FILTER]: "the provider's filter cut the answer",
  [FinishReason.REFUSAL]: 'the model declined',
};

/** Tells on standard error what the text does not show: warnings always, the rest with `verbose`. */
export function tellFacts(facts: AnswerFacts, terminal: Terminal, verbose: boolean): void {
  const warnings = facts.warnings.map(({ code, message }) => `${enumName(WarningCode, code)}: ${printable(message)}`);
  const note = NOTED_ENDS[facts.finishReason];
  for (const text of [...(note === undefined ? [] : [note]), ...warnings]) {
    terminal.tell(`${terminal.style('yellow', 'warning', 'stderr')}: ${text}`);
  }
  if (!verbose) return;
  const { target, model, usage, cost, latencyMs, requestId } = facts;
  const lines = [
    `${printable(target)}/${printable(model)}  ${enumName(FinishReason, facts.finishReason)}  ${shownMs(latencyMs)}`,
    `tokens  ${usageText(usage)}`,
    `cost    ${costText(cost)}`,
    `request ${printable(requestId)}`,
    trailTable(facts.attempts),
  ];
  terminal.tell(terminal.style('dim', lines.join('\n'), 'stderr'));
}

/** Writes attempts as a table: what was tried in which order, how it ended, how long it took, what it cost. */
export function trailTable(attempts: readonly Attempt[]): string {
  return alignedTable(
    ['attempt', 'kind', 'target', 'outcome', 'http', 'code', 'time', 'cost'],
    attempts.map((attempt) => [
      String(attempt.number),
      enumName(AttemptKind, attempt.kind).toLowerCase(),
      attempt.model === '' ? attempt.target : `${attempt.target}/${attempt.model}`,
      attempt.outcome === ErrorReason.UNSPECIFIED ? 'ok' : enumName(ErrorReason, attempt.outcome),
      attempt.httpStatus === undefined ? '' : String(attempt.httpStatus),
      attempt.providerCode,
      attempt.kind === AttemptKind.SKIPPED ? '' : shownMs(attempt.durationMs),
      attempt.kind === AttemptKind.SKIPPED ? '' : costText(attempt.cost),
    ]),
  );
}

/** `45 ms`, or `1.2 s`; empty where it is unknown. */
export function shownMs(ms: number | undefined): string {
  if (ms === undefined) return '';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** An amount of billionths of a USD as dollars, exactly; `unknown` where it is absent. */
export function shownUsd(nanoUsd: bigint | undefined): string {
  if (nanoUsd === undefined) return 'unknown';
  const sign = nanoUsd < 0n ? '-' : '';
  const digits = String(nanoUsd < 0n ? -nanoUsd : nanoUsd).padStart(10, '0');
  return `${sign}$${digits.slice(0, -9)}.${digits.slice(-9).replace(/0{1,7}$/, '')}`;
}

function costText(cost: Cost | undefined): string {
  if (cost?.nanoUsd === undefined) return 'unknown';
  return `${shownUsd(cost.nanoUsd)}${cost.source === CostSource.ESTIMATED ? ' (estimate)' : ''}`;
}

function usageText(usage: Usage | undefined): string {
  if (usage === undefined) return 'unknown';
  const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens, source } = usage;
  const of = (parts: readonly (readonly [number | undefined, string])[]): string => {
    const some = parts.filter(([count]) => count).map(([count, name]) => `${count} ${name}`);
    return some.length === 0 ? '' : ` (${some.join(', ')})`;
  };
  const input = `${inputTokens ?? '?'} in${of([
    [cachedInputTokens, 'cached'],
    [cacheWriteTokens, 'written to the cache'],
  ])}`;
  const output = `${outputTokens ?? '?'} out${of([[reasoningTokens, 'reasoning']])}`;
  return `${input}, ${output}${source === UsageSource.ESTIMATED ? ' (estimate)' : ''}`;
}
