import { spawnSync } from 'node:child_process';

/** The tree of no files, by git's own name for it. */
const NOTHING = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/**
 * Returns the files below `src/` of a checkout, by their paths there, that differ from where its branch left `origin/main`.
 * Where it has not left it, or there is none, they are those that the last commit has changed; where git knows no commit before
 * the last, all. What is not committed yet counts as well.
 */
export function changedSources(root: string): ReadonlySet<string> {
  const fork = git(root, 'merge-base', 'origin/main', 'HEAD');
  const hasLeft = fork !== undefined && fork !== git(root, 'rev-parse', 'HEAD');
  const base = hasLeft ? fork : (git(root, 'rev-parse', '--verify', '--quiet', 'HEAD~1') ?? NOTHING);
  const paths = git(root, 'diff', '--name-only', '--relative=src', base, '--', 'src') ?? '';
  return new Set(paths.split('\n').filter(Boolean));
}

/** Runs git; undefined where it says no. */
function git(root: string, ...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
