import { OURS, RIVALS } from '../policies.ts';
import type { Column } from './columns.ts';
import { cell, columnOf, COLUMNS, halfRange, leastDifference, mean } from './columns.ts';
import type { Figures, FiguresOf } from './figures.ts';

const SUCCESS = columnOf('success');

/** Fewer seeds tell no scatter. */
export const LEAST_SEEDS = 3;

/** Somebody is better in one column of one scenario. */
export interface Finding {
  /**
   * `better`: beyond scatter, than every row that it is held against. `answers less`: so too, but in a column that compares only where
   * as much is answered, and it answers less than one of those rows. `better than one row`: another row is no worse.
   */
  readonly kind: 'better' | 'answers less' | 'better than one row';
  readonly scenario: string;
  readonly who: string;
  /** The column, and the figures of both. */
  readonly what: string;
}

/** Finds every scenario and column in which a rival is better than rows of the engine. */
export function findBetterRivals(figuresOf: FiguresOf): readonly Finding[] {
  const ours = OURS.map(({ name }) => name);
  const others = RIVALS.map(({ name }) => name).filter((name) => !ours.includes(name));
  return Object.entries(figuresOf).flatMap(([scenario, figures]) =>
    COLUMNS.flatMap((column) =>
      others.flatMap((other) =>
        judge(
          scenario,
          column,
          side(figures, other),
          ours.map((name) => side(figures, name)),
        ),
      ),
    ),
  );
}

/** Throws where an earlier run has too few of some seeds to be compared with, or a scenario not at all. */
export function checkComparable(before: FiguresOf, names: readonly string[], seeds: readonly number[]): void {
  for (const name of names) {
    const common = (before[name] ?? []).filter(({ seed }) => seeds.includes(seed));
    if (common.length < LEAST_SEEDS)
      throw new Error(`${name}: the earlier run has fewer than ${LEAST_SEEDS} of these seeds`);
  }
}

/** Finds every scenario and column in which a row of the engine was better in an earlier run, over the seeds that both have. */
export function findBetterBefore(now: FiguresOf, before: FiguresOf): readonly Finding[] {
  return Object.entries(now).flatMap(([scenario, figures]) => {
    const earlier = (before[scenario] ?? []).filter((one) => figures.some(({ seed }) => seed === one.seed));
    const common = figures.filter((one) => earlier.some(({ seed }) => seed === one.seed));
    return COLUMNS.flatMap((column) =>
      OURS.flatMap(({ name }) =>
        judge(scenario, column, { ...side(earlier, name), name: `${name}, before` }, [side(common, name)]),
      ),
    );
  });
}

/** A policy with its figures, seed by seed. */
interface Side {
  readonly name: string;
  readonly of: (key: Column['key']) => ReadonlyMap<number, number>;
}

function side(figures: readonly Figures[], name: string): Side {
  return {
    name,
    of: (key) =>
      new Map(
        figures.flatMap(({ seed, policies }) => {
          const figure = policies[name]?.[key];
          return figure === undefined ? [] : [[seed, figure] as const];
        }),
      ),
  };
}

function judge(scenario: string, column: Column, other: Side, rows: readonly Side[]): readonly Finding[] {
  const comparable = rows.filter((row) => gains(column, other, row).length > 0);
  const beaten = comparable.filter((row) => isBeyondScatter(column, gains(column, other, row)));
  const outright = beaten.filter(
    (row) => !column.needsSuccess || !isBeyondScatter(SUCCESS, gains(SUCCESS, row, other)),
  );
  const kind = kindOf(comparable.length, beaten.length, outright.length);
  const best = bestOf(column, beaten);
  if (kind === undefined || best === undefined) return [];
  const text = ({ of }: Side): string => cell(column, [...of(column.key).values()]);
  const what = `${column.head} ${text(other)} against ${text(best)}${best === rows[0] ? '' : ` (${best.name})`}`;
  return [{ kind, scenario, who: other.name, what }];
}

/** The row with the best mean; the first of those between which no difference shows. */
function bestOf(column: Column, rows: readonly Side[]): Side | undefined {
  return rows.reduce<Side | undefined>((best, row) => {
    if (best === undefined) return row;
    return mean(gains(column, row, best)) >= leastDifference(column) ? row : best;
  }, undefined);
}

function kindOf(comparable: number, beaten: number, outright: number): Finding['kind'] | undefined {
  if (outright === 0 && beaten < comparable) return undefined;
  if (beaten < comparable) return 'better than one row';
  return outright === beaten ? 'better' : 'answers less';
}

/** By how much one side is better than another, seed by seed: the same seed is the same tape for both. */
function gains({ key, better }: Column, one: Side, other: Side): readonly number[] {
  const others = other.of(key);
  return [...one.of(key)].flatMap(([seed, figure]) => {
    const otherFigure = others.get(seed);
    return otherFigure === undefined ? [] : [better === 'more' ? figure - otherFigure : otherFigure - figure];
  });
}

/**
 * Whether gains are more than scatter: their mean is larger than half of the range that they lie in, and not less than what a table
 * can show. Never less strict than to compare means with the sum of both half ranges: the range of differences is not larger than that.
 */
function isBeyondScatter(column: Column, found: readonly number[]): boolean {
  if (found.length === 0) return false;
  const gain = mean(found);
  return gain > halfRange(found) && gain >= leastDifference(column) * (1 - 1e-9);
}

const TITLES = {
  better: undefined,
  'answers less': 'In figures that are low where little is answered, though it answers less',
  'better than one row': 'Than one row; another row is no worse',
} as const satisfies Record<Finding['kind'], string | undefined>;

/** Lists findings in Markdown, those that count first. */
export function listed(findings: readonly Finding[]): string {
  return Object.entries(TITLES)
    .map(([kind, title]) => {
      const found = Map.groupBy(
        findings.filter((finding) => finding.kind === kind),
        ({ scenario, who }) => `${scenario}, ${who}`,
      );
      const items = [...found]
        .map(([where, all]) => `- ${where}: ${all.map(({ what }) => what).join('; ')}\n`)
        .join('');
      if (title === undefined) return items === '' ? 'None.\n' : items;
      return items === '' ? '' : `\n${title}:\n\n${items}`;
    })
    .join('');
}
