import { RIVALS } from '../policies.ts';
import type { Scenario } from '../scenario.ts';
import type { Column } from './columns.ts';
import { cell, COLUMNS } from './columns.ts';
import type { Figures } from './figures.ts';
import { figuresFor } from './figures.ts';

/** Writes the table of a scenario, in Markdown. Columns in which there is nothing to see are left out. */
export function tableOf(
  { name, models, ...scenario }: Pick<Scenario, 'name' | 'models' | 'isOfWaits'>,
  figures: readonly Figures[],
): string {
  const policies = RIVALS.map((rival) => rival.name).filter((policy) => figures.some((one) => policy in one.policies));
  const columns = COLUMNS.filter(({ key, isOfWaits }) =>
    policies.some((policy) =>
      figuresFor(figures, policy, key).some((figure) => (isOfWaits && scenario.isOfWaits) || figure !== 0),
    ),
  );
  const rows = policies.map((policy) => [policy].concat(columns.map((column) => cellOf(column, figures, policy))));
  const counts = figures.map(({ requests }) => requests);
  const most = Math.max(...figures.map(({ mostAtATime }) => mostAtATime));
  return [
    `### ${name}`,
    '',
    `${models} ${range(counts)} requests, up to ${most} at a time.`,
    '',
    ...lines([['policy', ...columns.map(({ head }) => head)], ...rows]),
    '',
  ].join('\n');
}

function cellOf(column: Column, figures: readonly Figures[], policy: string): string {
  const found = figuresFor(figures, policy, column.key);
  const isOfStreams = column.key === 'firstOutputP50Ms' || column.key === 'firstOutputP99Ms';
  return found.length === 0 && !isOfStreams ? '' : cell(column, found);
}

function range(counts: readonly number[]): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(least) : `${least} to ${most}`;
}

function lines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const [heads, ...others] = rows.map((row) => line(row));
  return [heads ?? '', `| ${rule.join(' | ')} |`, ...others];
}
