import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes a Python environment with packages of pinned versions, or finds the one that was made before.
 *
 * @param folder where environments are kept
 * @param name of this one
 * @param packages as pip takes them, such as `litellm[proxy]==1.108.7`
 * @returns the folder of its programs
 * @throws Error where Python is missing or pip does not find them, with the end of what pip says
 */
export async function pythonPrograms(folder: string, name: string, packages: readonly string[]): Promise<string> {
  const home = join(folder, name);
  const bin = join(home, 'bin');
  if (!existsSync(join(home, 'ready'))) {
    await mkdir(folder, { recursive: true });
    await finished('python3', ['-m', 'venv', home]);
    await finished(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...packages]);
    await mkdir(join(home, 'ready'));
  }
  return bin;
}

/** Runs a program to its end; throws where it ends with anything but 0. */
export async function finished(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said = `${said}${data.toString()}`.slice(-2_000);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(said.trim().split('\n').at(-1) ?? `${program} ended with ${code}`);
}
