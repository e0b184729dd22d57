import { makeScenario } from '../scenarios.ts';
import type { FiguresOf } from './figures.ts';
import { tableOf } from './tables.ts';
import type { Finding } from './verdict.ts';
import { listed } from './verdict.ts';

/** The page that holds the tables, from the root. */
export const PAGE = 'docs/resilience.md';

/** Replaces what `--write` writes of the page: what stands between its marks. */
export function rewritten(page: string, figures: FiguresOf, findings: readonly Finding[]): string {
  const tables = Object.entries(figures).map(([name, found]) => tableOf(makeScenario(name, 0), found));
  return between(between(page, 'verdict', listed(findings)), 'tables', tables.join('\n'));
}

/** Returns the mark at the beginning and at the end of a part that `--write` writes. */
export function marksOf(part: 'verdict' | 'tables'): readonly [begin: string, end: string] {
  return [`<!-- ${part}: written by npm run sim:compare -- --seeds 1-5 --write -->`, `<!-- end of the ${part} -->`];
}

function between(page: string, part: 'verdict' | 'tables', text: string): string {
  const [begin, end] = marksOf(part);
  const [before, rest] = page.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has not both marks of the ${part}`);
  return `${before}${begin}\n\n${text.trimEnd()}\n\n${end}${after}`;
}
