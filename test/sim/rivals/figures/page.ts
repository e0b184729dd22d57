import { RIVALS } from '../policies.ts';
import { makeScenario } from '../scenarios.ts';
import type { FiguresOf } from './figures.ts';
import { tableOf } from './tables.ts';
import type { Finding } from './verdict.ts';
import { listed } from './verdict.ts';

/** The page that holds the tables, from the root. */
export const PAGE = 'docs/resilience.md';

/** What `--write` writes of the page: what stands between two marks of its name. */
const PARTS = ['policies', 'verdict', 'tables'] as const;

/** The parts of the page that the tool writes. */
export type Part = (typeof PARTS)[number];

/** Replaces the parts of the page; throws where a mark is missing. */
export function rewritten(page: string, figures: FiguresOf, findings: readonly Finding[]): string {
  const tables = Object.entries(figures).map(([name, found]) => tableOf(makeScenario(name, 0), found));
  const parts = { policies: policiesInWords(), verdict: listed(findings), tables: tables.join('\n') };
  return PARTS.reduce((text, part) => replaced(text, part, parts[part]), page);
}

/** Returns a part of the page as it is; throws where a mark is missing. */
export function partOf(page: string, part: Part): string {
  const [begin, end] = marksOf(part);
  const [, rest] = page.split(begin);
  const [text, after] = rest?.split(end) ?? [];
  if (text === undefined || after === undefined) throw new Error(`${PAGE} has not both marks of its ${part}`);
  return text.trim();
}

/** Says what each policy does, in Markdown. */
export function policiesInWords(): string {
  return RIVALS.map(({ name, says }) => `- **${name}**: ${says}.\n`).join('');
}

function replaced(page: string, part: Part, text: string): string {
  const [begin, end] = marksOf(part);
  return page.replace(`${begin}\n\n${partOf(page, part)}\n\n${end}`, () => `${begin}\n\n${text.trim()}\n\n${end}`);
}

function marksOf(part: Part): readonly [begin: string, end: string] {
  return [`<!-- ${part}: written by npm run sim:compare -- --seeds 1-5 --write -->`, `<!-- end of ${part} -->`];
}
