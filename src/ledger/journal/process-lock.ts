/** SQLite's codes for a file that another has locked. */
const TAKEN: ReadonlySet<unknown> = new Set([5, 6]);

/**
 * Takes a lock that ends with this process however it ends, and is nobody else's meanwhile: SQLite's, on an empty file, as Node has
 * none of its own. SQLite alone may open the file: a lock ends where the process closes it in any other place.
 *
 * @returns how to give it back; undefined where another has it. Throws where there can be no such file
 */
export function takeLock(path: string): (() => void) | undefined {
  // Loaded here: most programs have no ledger.
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    // Nothing is ever written, so that there is nothing to take back either.
    file.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    if (error instanceof Error && 'errcode' in error && TAKEN.has(error.errcode)) return undefined;
    throw error;
  }
  return () => file.close();
}
