import type { Account } from '../account.ts';

/** One column of the tables. */
export interface Column {
  readonly key: keyof Account;
  readonly head: string;
  readonly better: 'more' | 'less';
  /**
   * Whether less is better only where as much is answered: who refuses or fails the hard ones makes few calls and is quick, so that
   * the column compares only with a policy whose success is not lower beyond scatter.
   */
  readonly needsSuccess: boolean;
  /** What a figure is multiplied with to be shown. */
  readonly scale: number;
  readonly digits: number;
  readonly unit: string;
  /** Whether noughts are worth a column in scenarios that are about how long to wait. */
  readonly isOfWaits: boolean;
}

const FIGURE = { better: 'less', needsSuccess: false, scale: 1, digits: 0, unit: '', isOfWaits: false } as const;
const SECONDS = { ...FIGURE, scale: 1 / 1_000, digits: 1, unit: ' s' } as const;

/** All columns, in the order of the tables. */
export const COLUMNS: readonly Column[] = [
  { ...FIGURE, key: 'success', head: 'success', better: 'more', scale: 100, digits: 1, unit: ' %' },
  { ...SECONDS, key: 'firstOutputP50Ms', head: 'first output p50', needsSuccess: true },
  { ...SECONDS, key: 'firstOutputP99Ms', head: 'p99', needsSuccess: true },
  { ...FIGURE, key: 'callsPerRequest', head: 'calls/request', needsSuccess: true, digits: 2 },
  { ...FIGURE, key: 'wastedTokens', head: 'wasted tokens/request', needsSuccess: true },
  { ...FIGURE, key: 'deadSeconds', head: 'into the dead', needsSuccess: true, unit: ' s' },
  { ...SECONDS, key: 'silentMs', head: 'longest silence borne', needsSuccess: true },
  { ...FIGURE, key: 'leftWell', head: 'left though well', needsSuccess: true, isOfWaits: true },
  { ...SECONDS, key: 'heldOffWellMs', head: 'blamed though well', isOfWaits: true },
  { ...SECONDS, key: 'failsForMs', head: 'still failing for' },
  { ...SECONDS, key: 'awayForMs', head: 'first target back after' },
  { ...FIGURE, key: 'corrupted', head: 'corrupted' },
];

/** Returns the column of a figure. */
export function columnOf(key: Column['key']): Column {
  const column = COLUMNS.find((candidate) => candidate.key === key);
  if (column === undefined) throw new Error(`no column ${key}`);
  return column;
}

/** Returns the smallest difference that a table can show, in the unit of the account. */
export function leastDifference({ digits, scale }: Column): number {
  return 10 ** -digits / scale;
}

/** Writes the mean of some figures, with half of the range that they lie in where that can be seen; `none` where there are none. */
export function cell({ digits, scale, unit }: Column, figures: readonly number[]): string {
  if (figures.length === 0) return 'none';
  const shown = (figure: number): string => (figure * scale).toFixed(digits);
  const spread = shown(halfRange(figures));
  return `${shown(mean(figures))}${Number(spread) === 0 ? '' : ` ± ${spread}`}${unit}`;
}

/** Returns the mean of at least one figure. */
export function mean(figures: readonly number[]): number {
  return figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
}

/** Returns half of the distance between the least and the largest. */
export function halfRange(figures: readonly number[]): number {
  return (Math.max(...figures) - Math.min(...figures)) / 2;
}
