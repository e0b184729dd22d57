import type { ClientCase } from './cases.ts';
import type { RetryCount, Verdict } from './languages/judge.ts';

/** What came of one column. */
export interface Column {
  readonly title: string;
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

/** Draws case × language: `ok`, `FAILED`, or `–` where it was not asked. */
export function caseTable(cases: readonly ClientCase[], columns: readonly Column[]): string {
  return rows([
    ['case', ...columns.map(({ title }) => title)],
    ...cases.map(({ name, title }) => [
      `${name}: ${title}`,
      ...columns.map(({ verdicts }) => {
        const verdict = verdicts.get(name);
        if (verdict === undefined) return '–';
        return verdict.ok ? 'ok' : 'FAILED';
      }),
    ]),
  ]);
}

/** Draws what became of calls with a retry policy in the service config, and how many of them came. */
export function retryTable(
  counts: readonly { readonly title: string; readonly retries: readonly RetryCount[] }[],
): string {
  const cell = (retries: readonly RetryCount[], name: string): string => {
    const count = retries.find((each) => each.case === name);
    return count === undefined ? '–' : `${count.calls} calls, ${count.ms} ms`;
  };
  return rows([
    ['retry policy', 'before any provider', 'after a provider', 'pushback beyond the deadline'],
    ...counts.map(({ title, retries }) => [
      title,
      ...['retry-before', 'retry-after', 'retry-late'].map((name) => cell(retries, name)),
    ]),
  ]);
}

/** Draws rows as Markdown whose columns stand below each other. */
export function rows(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const draw = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [draw(head), draw(widths.map((width) => '-'.repeat(width))), ...body.map(draw)].join('\n');
}
