import { existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { getuid, platform } from 'node:process';

/** Who may do what in a folder beside its owner (stat(2)): anything, write, and write without removing what others have. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * Has Node keep what V8 compiles, so that the next start need not compile it again: in the user's own cache folder, and where that cannot be
 * written, or others could write there too, not at all. `NODE_COMPILE_CACHE` and `NODE_DISABLE_COMPILE_CACHE` are Node's and come first.
 *
 * @returns keeps what was compiled until now; otherwise only a process that ends by itself does
 */
export function useCompileCache(env: NodeJS.ProcessEnv): () => void {
  if (env['NODE_COMPILE_CACHE'] === undefined && env['NODE_DISABLE_COMPILE_CACHE'] === undefined) {
    try {
      const folder = cacheFolder(env);
      // One by one: a recursive mkdir of Node's does not end where the system denies that a parent is missing, as /proc does.
      for (const part of [dirname(folder), folder]) if (!existsSync(part)) mkdirSync(part, { mode: 0o700 });
      const directory = realpathSync(folder);
      if (isOwn(directory)) enableCompileCache({ directory });
    } catch {
      // A start without it is slower, and nothing else.
    }
  }
  return flushCompileCache;
}

/** The folder for caches of a user, as each system has it. */
function cacheFolder(env: NodeJS.ProcessEnv): string {
  const given = platform === 'win32' ? env['LOCALAPPDATA'] : env['XDG_CACHE_HOME'];
  const usual = platform === 'darwin' ? 'Library/Caches' : '.cache';
  return join(given === undefined || given === '' ? join(homedir(), usual) : given, 'understudy');
}

/** Whether nobody but this user and root can write to a folder, or put another in its place: what lies there is run. */
function isOwn(directory: string): boolean {
  const user = getuid?.();
  // On Windows a user's folders are closed to others.
  if (user === undefined) return true;
  if ((lstatSync(directory).mode & OTHERS) !== 0 || lstatSync(directory).uid !== user) return false;
  for (let path = dirname(directory); ; path = dirname(path)) {
    const { mode, uid } = lstatSync(path);
    if (uid !== user && uid !== 0) return false;
    if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
