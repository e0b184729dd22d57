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

const INVARIANTS = 37;

/** Writes the mutants down as a table. */
export function mutantTable(fates: readonly Fate[]): string {
  return table(
    ['rule', 'the mutant', 'killed by', 'must be seen by', 'ms'],
    fates.map(({ mutant, killedBy, isSeen, ms }) => [
      mutant.rule,
      mutant.does,
      killedBy ?? 'SURVIVES',
      `${typeof mutant.seenBy === 'number' ? `invariant ${mutant.seenBy}` : 'a test'}${isSeen ? '' : ': NOT SEEN'}`,
      String(ms),
    ]),
  );
}

/** Writes down which mutants each invariant has seen. */
export function invariantTable(fates: readonly Fate[]): string {
  const rows = Array.from({ length: INVARIANTS }, (_, index) => {
    const number = index + 1;
    const seen = fates.filter(({ mutant, isSeen }) => mutant.seenBy === number && isSeen);
    const names = seen.map(({ mutant }) => `${mutant.rule} ${mutant.does}`);
    return [String(number), names.length > 0 ? names.join('; ') : 'none'];
  });
  return table(['invariant', 'sees'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
