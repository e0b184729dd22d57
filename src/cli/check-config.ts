import { loadProcessConfig } from '../config/process-config.ts';
import { describeStartup } from '../config/summary.ts';
import { alignedTable } from '../config/port/aligned-table.ts';
import { hostOf } from '../config/port/base-url.ts';
import { hideKeys, keysOf } from '../config/port/hidden-keys.ts';
import { ConfigError } from '../config/port/problem.ts';
import type { Config, TargetConfig } from '../config/port/resolved.ts';
import type { System } from '../core/ports.ts';
import type { CheckFlags } from './command-line.ts';
import { EXIT, type ExitStatus } from './terminal/exit-status.ts';

/** What a check has found, for standard output or standard error. */
export interface CheckResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: ExitStatus;
}

/** Loads the configuration as `serve` would, and says what it comes to. No key is in what is said. */
export async function checkConfig(flags: CheckFlags, version: string, system: System): Promise<CheckResult> {
  const json = flags.json ?? false;
  const problem = (text: string): CheckResult => ({ stdout: '', stderr: `${text}\n`, status: EXIT.fault });
  try {
    const config = await loadProcessConfig(flags, system);
    const isUsable = config.targets.length > 0;
    const stdout = json ? `${JSON.stringify(documentOf(config, isUsable))}\n` : textOf(config, version);
    return { stdout, stderr: '', status: isUsable ? EXIT.ok : EXIT.fault };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (!json) return problem(hideKeys(error.message, keysOf(process.env)));
    return { ...problem(''), stdout: `${JSON.stringify({ ok: false, problems: error.problems })}\n`, stderr: '' };
  }
}

function textOf(config: Config, version: string): string {
  const { server, targets } = config;
  const { grpcAddress: grpc, httpAddress: web, adminAddress: admin } = server;
  const keys = alignedTable(
    ['target', 'key'],
    targets.map((target) => [target.name, keyOf(target)]),
  );
  const verdict =
    targets.length > 0 ? `The configuration is right: ${counted(targets.length)}.` : 'There is no target to call.';
  const parts = [describeStartup(config, { grpc, web, admin }, version).trimEnd(), keys, verdict];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function counted(targets: number): string {
  return targets === 1 ? '1 target' : `${targets} targets`;
}

function keyOf({ apiKey, identity, mock }: TargetConfig): string {
  if (mock) return 'not needed: the mock answers';
  if (identity !== undefined) return 'tokens of Microsoft Entra';
  return apiKey === undefined ? 'none' : 'set';
}

function documentOf({ targets, routes, server, warnings, demo }: Config, ok: boolean) {
  const keys = targets.flatMap(({ apiKey }) => apiKey ?? []);
  const { grpcAddress, httpAddress, adminAddress } = server;
  const document = {
    ok,
    demo,
    targets: targets.map((target) => ({
      name: target.name,
      provider: target.provider,
      ...(target.model !== undefined && { model: target.model }),
      ...(target.api !== undefined && { api: target.api }),
      host: target.mock ? 'mock' : hostOf(target.baseUrl),
      key: target.identity !== undefined ? 'entra' : target.apiKey === undefined ? 'none' : 'set',
      ...(target.proxy !== undefined && { proxy: hostOf(target.proxy.origin) }),
      source: target.source,
    })),
    routes: routes.map(({ name, entries }) => ({
      name,
      targets: entries.map(({ target, model }) => (model === undefined ? target : `${target}/${model}`)),
    })),
    addresses: { grpc: grpcAddress, web: httpAddress, admin: adminAddress },
    warnings,
  };
  const hidden: unknown = JSON.parse(JSON.stringify(document), (_name, value: unknown) =>
    typeof value === 'string' ? hideKeys(value, keys) : value,
  );
  return hidden;
}
