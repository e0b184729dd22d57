import { basename, resolve } from 'node:path';

import { parseNano } from '../core/money.ts';
import type { FileAllowance, FileCaller } from './file/callers-schema.ts';
import type { KeysFileRules } from './file/keys-file.ts';
import type { FileConfig } from './file/schema.ts';
import type { AllowanceConfig, CallerConfig, CallersConfig } from './port/caller-config.ts';
import { isKeySetUrl } from '../core/formats/key-set-url.ts';

type Defaults = NonNullable<FileConfig['caller_defaults']>;

/**
 * Resolves the sections about callers; undefined where none is named.
 *
 * @param folder what the paths of files are relative to; absent: the working directory
 */
export function resolveCallers(file: FileConfig, folder = '.'): CallersConfig | undefined {
  const { callers, groups, caller_defaults: defaults = {}, api_keys_file: apiKeysFile } = file;
  if (callers.length === 0) return undefined;
  return {
    callers: callers.map((caller) => resolveCaller(caller, defaults, folder)),
    groups: groups.map(({ name, limits, budget }) => Object.assign({ name }, allowance(limits, budget))),
    apiKeysFile: apiKeysFile === undefined ? undefined : resolve(folder, apiKeysFile),
  };
}

function resolveCaller(caller: FileCaller, defaults: Defaults, folder: string): CallerConfig {
  const { name, api_keys: keys, jwt, mtls, group = defaults.group } = caller;
  const allow = { ...defaults.allow, ...caller.allow };
  return {
    name,
    group,
    apiKeys: keys.map(({ sha256, expires }) => ({ sha256, expiresAtMs: expires })),
    jwt: jwt && {
      issuer: jwt.issuer,
      audiences: [jwt.audience].flat(),
      jwks: isKeySetUrl(jwt.jwks) ? jwt.jwks : resolve(folder, jwt.jwks),
      claim: jwt.claim,
      value: jwt.value,
    },
    certificateName: mtls?.san,
    routes: restriction(allow.routes),
    targets: restriction(allow.targets),
    ...allowance({ ...defaults.limits, ...caller.limits }, caller.budget ?? defaults.budget),
  };
}

/** An empty list restricts nothing, as an absent one does. */
function restriction(names: readonly string[] = []): readonly string[] | undefined {
  return names.length === 0 ? undefined : names;
}

function allowance(limits: FileAllowance['limits'] = {}, budget: FileAllowance['budget'] = []): AllowanceConfig {
  return {
    limits: {
      requestsPerMinute: limits.requests_per_minute,
      tokensPerMinute: limits.tokens_per_minute,
      concurrentCalls: limits.concurrent_calls,
    },
    budgets: [budget].flat().map(({ usd, per }) => ({ nanoUsd: parseNano(usd), per })),
  };
}

/** Returns what the file of keys is held to. */
export function keysFileRules({ callers, apiKeysFile = '' }: CallersConfig): KeysFileRules {
  return {
    label: basename(apiKeysFile),
    callers: new Set(callers.map(({ name }) => name)),
    taken: new Map(callers.flatMap(({ name, apiKeys }) => apiKeys.map(({ sha256 }) => [sha256, name] as const))),
  };
}
