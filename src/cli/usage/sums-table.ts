import type { UsageGrouping, UsageRow } from '../../../gen/understudy/v1/usage_service_pb.ts';
import { alignedTable } from '../../config/port/aligned-table.ts';
import { csvRow } from '../../core/formats/csv-row.ts';
import { formatNano } from '../../core/money.ts';
import { nameOfGrouping, shownKey } from './grouping.ts';
import { shownCount, shownMoney } from './shown-amounts.ts';

const AMOUNTS = ['requests', 'attempts', 'input', 'cached', 'output', 'cost', 'list price', 'cost unknown'];

const CSV_AMOUNTS = [
  'requests',
  'attempts',
  'input_tokens',
  'cached_input_tokens',
  'output_tokens',
  'reasoning_tokens',
  'cost_usd',
  'cost_nano_usd',
  'list_usd',
  'list_nano_usd',
  'unknown_cost_attempts',
];

/** Writes rows of usage for people, with a last line of what they come to. */
export function sumsTable(groupBy: readonly UsageGrouping[], rows: readonly UsageRow[]): string {
  const keyed = rows.map((row) => [
    ...groupBy.map((grouping, index) => shownKey(grouping, row.key[index] ?? '')),
    ...amountsOf(row, shownCount(row.requests)),
  ]);
  // A request with attempts in two rows is one request: only the gateway can add them up.
  const total = rows.length > 1 ? [['total', ...groupBy.slice(1).map(() => ''), ...amountsOf(totalOf(rows), '')]] : [];
  const heading = [...groupBy.map(nameOfGrouping), ...AMOUNTS];
  const all = [heading, ...keyed, ...total];
  const widths = heading.map((_title, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  // Numbers stand below each other by their last digits.
  const aligned = all.map((row) =>
    row.map((cell, column) => (column < groupBy.length ? cell : cell.padStart(widths[column] ?? 0))),
  );
  return alignedTable(aligned[0] ?? [], aligned.slice(1));
}

/** Writes rows of usage as CSV, with the columns of `/usage.csv`. */
export function sumsCsv(groupBy: readonly UsageGrouping[], rows: readonly UsageRow[]): string {
  const heading = csvRow([...groupBy.map(nameOfGrouping), ...CSV_AMOUNTS]);
  const lines = rows.map((row) =>
    csvRow([
      ...row.key,
      row.requests,
      row.attempts,
      row.inputTokens,
      row.cachedInputTokens,
      row.outputTokens,
      row.reasoningTokens,
      formatNano(row.costNanoUsd),
      row.costNanoUsd,
      formatNano(row.listNanoUsd),
      row.listNanoUsd,
      row.unknownCostAttempts,
    ]),
  );
  return heading + lines.join('');
}

type Amounts = Pick<
  UsageRow,
  | 'attempts'
  | 'inputTokens'
  | 'cachedInputTokens'
  | 'outputTokens'
  | 'costNanoUsd'
  | 'listNanoUsd'
  | 'unknownCostAttempts'
>;

function amountsOf(amounts: Amounts, requests: string): readonly string[] {
  return [
    requests,
    shownCount(amounts.attempts),
    shownCount(amounts.inputTokens),
    shownCount(amounts.cachedInputTokens),
    shownCount(amounts.outputTokens),
    shownMoney(amounts.costNanoUsd),
    shownMoney(amounts.listNanoUsd),
    amounts.unknownCostAttempts === 0n ? '' : shownCount(amounts.unknownCostAttempts),
  ];
}

function totalOf(rows: readonly Amounts[]): Amounts {
  const total = {
    attempts: 0n,
    inputTokens: 0n,
    cachedInputTokens: 0n,
    outputTokens: 0n,
    costNanoUsd: 0n,
    listNanoUsd: 0n,
    unknownCostAttempts: 0n,
  };
  for (const row of rows) {
    total.attempts += row.attempts;
    total.inputTokens += row.inputTokens;
    total.cachedInputTokens += row.cachedInputTokens;
    total.outputTokens += row.outputTokens;
    total.costNanoUsd += row.costNanoUsd;
    total.listNanoUsd += row.listNanoUsd;
    total.unknownCostAttempts += row.unknownCostAttempts;
  }
  return total;
}
