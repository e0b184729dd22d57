import type { Mutant } from './mutant.ts';

/** What became of a mutant. */
export interface Fate {
  readonly mutant: Mutant;
  /** Invariants, or a unit test; undefined where it survives. */
  readonly killedBy: string | undefined;
  /** Whether the invariant or test that must see it does. */
  readonly isSeen: boolean;
  readonly ms: number;
}

/** Writes the mutants down as the table of docs/simulation.md. */
export function mutantTable(fates: readonly Fate[]): string {
  return table(
    ['rule', 'the mutant', 'killed by', 'must be seen by'],
    fates.map(({ mutant, killedBy, isSeen }) => [
      mutant.rule,
      mutant.does,
      killedBy ?? 'SURVIVES',
      `${witness(mutant)}${isSeen ? '' : ': NOT SEEN'}`,
    ]),
  );
}

/** Returns who must see a mutant, in the words of the table. */
export function witness({ seenBy }: Mutant): string {
  return typeof seenBy === 'number' ? `invariant ${seenBy}` : 'a test';
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
