import type { Stage } from '../stage/stage.ts';
import type { Page } from './page.ts';

/** What a row that is no language has to work with. */
export interface RowStage {
  /** A folder that goes with the run. */
  readonly work: string;
  /** Where the clients are. */
  readonly clients: string;
  readonly stage: Stage;
  readonly page: Page;
}

/** What came of one check. */
export interface RowCheck {
  readonly check: string;
  /** What went wrong; nothing where all is well. */
  readonly failure?: string;
  /** Why it was left out. */
  readonly skipped?: string;
  readonly detail?: string;
}

/** What came of a row: its checks, or why it was left out. */
export type RowOutcome = { readonly checks: readonly RowCheck[] } | { readonly skipped: string };

/** Runs checks one after the other; what one throws is its failure, what it returns its detail. */
export async function runChecks(
  checks: Readonly<Record<string, () => Promise<string>>>,
): Promise<{ readonly checks: readonly RowCheck[] }> {
  const outcomes: RowCheck[] = [];
  for (const [check, run] of Object.entries(checks)) {
    try {
      outcomes.push({ check, detail: await run() });
    } catch (error) {
      outcomes.push({ check, failure: error instanceof Error ? error.message : String(error) });
    }
  }
  return { checks: outcomes };
}

/** Throws where something does not hold. */
export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise.slice(0, 1_000));
}
