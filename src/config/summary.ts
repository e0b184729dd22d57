import type { RouteEntry } from '../engine/route/route.ts';
import { alignedTable, printable } from './port/aligned-table.ts';
import { hostOf } from './port/base-url.ts';
import { describeProxies } from './outbound/proxied-targets.ts';
import { hideKeys } from './port/hidden-keys.ts';
import type { Config, TargetConfig } from './port/resolved.ts';

/** What the doors listen on; a door that is not open is absent. */
export interface OpenDoors {
  readonly grpc?: string | undefined;
  readonly web?: string | undefined;
  readonly admin?: string | undefined;
}

/**
 * Describes a process that has started, for people: targets with where they come from, routes, addresses, warnings. Of a base
 * URL only the host is shown, of keys nothing, also where one was put in the place of something else.
 */
export function describeStartup(config: Config, doors: OpenDoors, version: string): string {
  const keys = config.targets.flatMap(({ apiKey }) => apiKey ?? []);
  const table: Table = (heading, rows) =>
    alignedTable(
      heading,
      rows.map((row) => row.map((cell) => hideKeys(cell, keys))),
    );
  const sections = [
    `Understudy ${version}`,
    describeTargets(config, table),
    describeProxies(config.targets).join('\n'),
    table(
      ['route', 'order'],
      config.routes
        .filter((route) => route.entries.length > 0)
        .map((route) => [route.name, route.entries.map(describeEntry).join(', ')]),
    ),
    describeDoors(shownDoors(doors, config.server)),
    config.warnings.map((warning) => `warning: ${warning}`).join('\n'),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

/** Returns where the doors are as clients are told it: `host:port` for plaintext gRPC, URLs otherwise. */
export function shownDoors({ grpc, web, admin }: OpenDoors, { tls, adminTls }: Config['server']): OpenDoors {
  const scheme = tls === undefined ? 'http' : 'https';
  return {
    grpc: grpc === undefined || tls === undefined ? grpc : `https://${grpc}`,
    web: web && `${scheme}://${web}`,
    admin: admin && `${adminTls === undefined ? 'http' : 'https'}://${admin}`,
  };
}

function describeTargets(config: Config, table: Table): string {
  if (config.targets.length === 0) {
    return 'No provider is configured: every call fails with NO_PROVIDER_CONFIGURED. Set OPENAI_API_KEY or another key (`understudy serve --help` lists them), or try --demo.';
  }
  const heading = ['target', 'provider', 'model', 'api', 'answers from', 'found in'];
  const lines = table(heading, config.targets.map(describeTarget));
  const mocked =
    'No provider is configured: because of --demo, the mock answers every call. No provider is called, and the answers are made up.';
  return config.demo ? `${mocked}\n\n${lines}` : lines;
}

function describeTarget(target: TargetConfig): readonly string[] {
  const { name, provider, model = '(first installed)', api = '', baseUrl, source } = target;
  return [name, provider, model, api, target.mock ? 'mock' : hostOf(baseUrl), printable(source)];
}

function describeEntry(entry: RouteEntry): string {
  return entry.model === undefined ? entry.target : `${entry.target}/${entry.model}`;
}

function describeDoors(doors: OpenDoors): string {
  const lines: string[] = [];
  if (doors.grpc !== undefined) lines.push(`gRPC   ${doors.grpc}`);
  if (doors.web !== undefined) lines.push(`web    ${doors.web}`);
  if (doors.admin !== undefined) lines.push(`admin  ${doors.admin}`);
  return lines.join('\n');
}

/** Writes rows below a heading. */
type Table = (heading: readonly string[], rows: readonly (readonly string[])[]) => string;
