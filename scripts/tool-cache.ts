import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Pinned tools that `go install` builds, by the names of their programs. */
export const GO_TOOLS = {
  grpcurl: 'github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4',
  'grpc-health-probe': 'github.com/grpc-ecosystem/grpc-health-probe@v0.4.63',
  helm: 'helm.sh/helm/v4/cmd/helm@v4.3.2',
  ghz: 'github.com/bojand/ghz/cmd/ghz@v0.93.0',
} as const;

/** Where tools are kept between runs: `UNDERSTUDY_TOOLS`, or a folder in the user's cache. */
export function toolCache(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return process.env['UNDERSTUDY_TOOLS'] ?? join(cache, 'understudy-tools');
}

/** How a program ended: its code, or undefined where it could not be started, and what it printed. */
export interface ProgramEnd {
  readonly code: number | undefined;
  readonly printed: string;
}

/** Runs a program to its end, whatever that is. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
      resolve({ code, printed: `${stdout}${stderr}`.trim() });
    });
  });
}

/** Whether a program is one of {@link GO_TOOLS}. */
export function isGoTool(name: string): name is keyof typeof GO_TOOLS {
  return name in GO_TOOLS;
}

const found = new Map<string, Promise<string | undefined>>();

/** Returns the path of a tool, built first where it is not there yet; undefined where there is no go. Rejects where go fails. */
export function goTool(name: keyof typeof GO_TOOLS): Promise<string | undefined> {
  const tool = found.get(name) ?? findGoTool(name);
  found.set(name, tool);
  return tool;
}

async function findGoTool(name: keyof typeof GO_TOOLS): Promise<string | undefined> {
  const source = GO_TOOLS[name];
  const folder = join(toolCache(), `${name}-${source.slice(source.lastIndexOf('@') + 1)}`);
  const path = join(folder, name);
  if (existsSync(path)) return path;
  if ((await runProgram('go', ['version'])).code !== 0) return undefined;
  const { code, printed } = await runProgram('go', ['install', source], { env: { ...process.env, GOBIN: folder } });
  if (code !== 0) throw new Error(`go install ${source} failed: ${printed}`);
  return path;
}
