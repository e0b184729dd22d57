import { isDeepStrictEqual } from 'node:util';

import { parseAddress } from '../../core/address.ts';
import { isLoopback } from '../file/host-port.ts';
import { ConfigError } from '../port/problem.ts';
import type { Config, ServerConfig } from '../port/resolved.ts';

/** What of the section `server` holds as soon as it is read. */
const LIVE_SERVER = ['drain', 'authenticateHealth', 'allowUnauthenticated'] as const;

/** Sections that hold as soon as they are read, and what is read along with them. All others, `server` aside, need a restart. */
const LIVE: ReadonlySet<string> = new Set([
  'targets',
  'routes',
  'circuitBreaker',
  'retry',
  'admission',
  'server',
  'callers',
  'log',
  'pricesFile',
  'prices',
  'secretFiles',
  'warnings',
  'demo',
] satisfies (keyof Config)[]);

/** What is made out of other settings, and nobody has set. */
const UNSET = new Set(['source', 'warnings', 'demo', 'ownHost', 'isUnauthenticated']);

/** A configuration that is read while another one holds. */
export interface ConfigChanges {
  /** What holds from now on: the new configuration, but for what needs a restart. */
  readonly config: Config;
  /** What is other than before, one phrase each: names of targets, callers and settings, and no values. */
  readonly changed: readonly string[];
  /** Settings of which another value is in the file than in force, until the process is started again. */
  readonly needRestart: readonly string[];
}

/**
 * Compares the configuration that holds with one that was read.
 *
 * @throws ConfigError where no target is left, as in a file that is not written yet; where nobody would be asked any more who calls,
 *   although others can reach the doors as they stand
 */
export function configChanges(before: Config, read: Config): ConfigChanges {
  const { server } = before;
  if (read.targets.length === 0 && before.targets.length > 0) {
    throw new ConfigError([{ path: 'targets', message: 'there would be none left; that takes a restart' }]);
  }
  const live: Partial<ServerConfig> = Object.fromEntries(LIVE_SERVER.map((field) => [field, read.server[field]]));
  const isUnauthenticated = read.callers === undefined && isReachable(server);
  if (isUnauthenticated && !read.server.allowUnauthenticated) {
    const message =
      'cannot be left out while other machines can reach the doors; their addresses change with a restart';
    throw new ConfigError([{ path: 'callers', message }]);
  }
  const others = Object.keys({ ...before, ...read }).filter((section) => !LIVE.has(section));
  const kept: Partial<Config> = Object.fromEntries(others.map((section) => [section, valueOf(before, section)]));
  const config: Config = { ...read, ...kept, server: { ...server, ...live, isUnauthenticated } };
  const ofServer = changedFields(config.server, read.server).map((field) => `server.${field}`);
  const ofOthers = changedFields(config, read).filter((field) => field !== 'server');
  const { apiKeysFile } = config.callers ?? {};
  return {
    config,
    changed: [
      ...namedChanges('target', before.targets, config.targets),
      ...namedChanges('route', before.routes, config.routes),
      ...namedChanges('caller', before.callers?.callers, config.callers?.callers),
      ...namedChanges('group', before.callers?.groups, config.callers?.groups),
      ...(before.callers?.apiKeysFile === apiKeysFile ? [] : ['api_keys_file changed']),
      ...(isDeepStrictEqual(before.prices, config.prices) ? [] : ['prices_file changed']),
      ...sectionChanges(before, config),
    ],
    needRestart: [...ofServer, ...ofOthers],
  };
}

function isReachable({ grpcAddress, httpAddress }: ServerConfig): boolean {
  return [grpcAddress, httpAddress].some((address) => {
    const parsed = parseAddress(address);
    return parsed !== undefined && !isLoopback(parsed);
  });
}

interface Named {
  readonly name: string;
}

function namedChanges(what: string, before: readonly Named[] = [], after: readonly Named[] = []): readonly string[] {
  const known = new Map(before.map((one) => [one.name, one]));
  const names = new Set(after.map(({ name }) => name));
  const gone = before.filter(({ name }) => !names.has(name)).map(({ name }) => `${what} ${name} removed`);
  const others = after.flatMap((one) => {
    const was = known.get(one.name);
    if (was === undefined) return [`${what} ${one.name} added`];
    const fields = changedFields(was, one);
    return fields.length === 0 ? [] : [`${what} ${one.name} changed: ${fields.join(', ')}`];
  });
  return [...gone, ...others];
}

function sectionChanges(before: Config, after: Config): readonly string[] {
  const sections = ['circuitBreaker', 'retry', 'admission', 'server', 'log'] as const;
  return sections.flatMap((section) => {
    const fields = changedFields(before[section], after[section]);
    return fields.length === 0 ? [] : [`${settingName(section)} changed: ${fields.join(', ')}`];
  });
}

/** Returns the names of the settings in which two sections differ. */
function changedFields(before: object, after: object): readonly string[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...fields]
    .filter((field) => !UNSET.has(field))
    .filter((field) => !isDeepStrictEqual(valueOf(before, field), valueOf(after, field)))
    .map(settingName);
}

function valueOf(section: object, field: string): unknown {
  return Reflect.get(section, field);
}

/** Names in the file that are not those of the resolved configuration. */
const FILE_NAMES: Readonly<Record<string, string>> = {
  idleTimeoutMs: 'http.idle_timeout',
  allowedHosts: 'http.allowed_hosts',
  certificateName: 'mtls',
  budgets: 'budget',
  goodShare: 'good_calls',
  entries: 'targets',
};

/** Returns the name that a setting has in the file: `graceMs` is `grace`. */
function settingName(field: string): string {
  const own = FILE_NAMES[field];
  if (own !== undefined) return own;
  return field.replace(/Ms$/, '').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
