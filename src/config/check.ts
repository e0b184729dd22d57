import { MODEL_NAME } from '../core/model-id.ts';
import { withoutApiVersion } from './port/base-url.ts';
import type { Environment } from './port/resolved.ts';
import { formatPath, problemAt, valueAt, type ConfigProblem } from './port/problem.ts';
import { defaultModel, isOwnHost } from './port/provider-defaults.ts';
import { hasIdentity } from './outbound/environment-identity.ts';
import { routeSchema, targetSchema, type FileTarget } from './file/schema.ts';
import { isMock } from './resolve-target.ts';

/** What the rules between fields are checked on. */
export interface CheckInput {
  /** The config with its variables put in; it need not have passed the schema. */
  readonly tree: unknown;
  /** The config as it was written. */
  readonly raw: unknown;
  readonly env: Environment;
  readonly mockAll: boolean;
  /** Names of detected targets; undefined where the config names its own. */
  readonly detected: readonly string[] | undefined;
}

/** Splits an entry of a route at its first slash into target and model. */
export function splitEntry(entry: string): { readonly target: string; readonly model?: string | undefined } {
  const slash = entry.indexOf('/');
  return slash < 0 ? { target: entry } : { target: entry.slice(0, slash), model: entry.slice(slash + 1) };
}

/**
 * Checks what the schema cannot: names, references, and what a provider needs. Entries that fail the schema are left out, so
 * that every problem of a file is found at once.
 */
export function crossProblems(input: CheckInput): ConfigProblem[] {
  const targets = listAt(input.tree, 'targets');
  const routes = listAt(input.tree, 'routes');
  const problems: ConfigProblem[] = [];

  const owners = new Map<string, string>();
  for (const name of input.detected ?? []) owners.set(name, 'a detected target');
  claimNames(targets, 'targets', owners, problems);
  const targetNames = new Set(owners.keys());
  claimNames(routes, 'routes', owners, problems);
  if (targetNames.has('default') && !routes.some((route) => valueAt(route, ['name']) === 'default')) {
    const index = targets.findIndex((target) => valueAt(target, ['name']) === 'default');
    problems.push({
      path: formatPath(['targets', index, 'name']),
      message: 'must not be "default": the route of all targets has that name',
    });
  }

  targets.forEach((target, index) => {
    const parsed = targetSchema.safeParse(target);
    if (parsed.success) problems.push(...targetProblems(parsed.data, index, input));
  });

  const allNamed = targets.every((target) => typeof valueAt(target, ['name']) === 'string');
  routes.forEach((route, index) => {
    const parsed = routeSchema.safeParse(route);
    if (parsed.success && allNamed) problems.push(...routeProblems(parsed.data.targets, index, targetNames, input.raw));
  });
  return problems;
}

function listAt(tree: unknown, field: string): readonly unknown[] {
  const value = valueAt(tree, [field]);
  return Array.isArray(value) ? value : [];
}

function claimNames(
  items: readonly unknown[],
  field: string,
  owners: Map<string, string>,
  problems: ConfigProblem[],
): void {
  items.forEach((item, index) => {
    const name = valueAt(item, ['name']);
    if (typeof name !== 'string') return;
    const owner = owners.get(name);
    if (owner === undefined) owners.set(name, formatPath([field, index]));
    else problems.push({ path: formatPath([field, index, 'name']), message: `the name is taken by ${owner}` });
  });
}

const AZURE_KEY =
  'is required for azure-openai; set it, or set mock: true, or in the environment AZURE_CLIENT_ID, AZURE_TENANT_ID, and AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_SECRET';

function targetProblems(target: FileTarget, index: number, input: CheckInput): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const path = (field: string) => ['targets', index, field];
  const missing = (field: string, message: string) => problems.push({ path: formatPath(path(field)), message });
  const { provider } = target;
  const azure = provider === 'azure-openai';

  if (!isMock(target, input.mockAll)) {
    if (azure && target.base_url === undefined) {
      missing('base_url', 'is required for azure-openai: https://NAME.openai.azure.com/openai/v1');
    }
    const ownHost = provider !== 'ollama' && isOwnHost(provider, target.base_url);
    if (target.api_key === undefined && azure && !hasIdentity(input.env)) missing('api_key', AZURE_KEY);
    if (target.api_key === undefined && !azure && ownHost) {
      missing('api_key', `is required for ${provider} on its own host; set it, or set mock: true`);
    }
  }
  if (azure && target.model === undefined && defaultModel(provider, input.env) === undefined) {
    missing('model', 'is required for azure-openai: the name of the deployment');
  }
  if (!azure && target.base_url !== undefined && withoutApiVersion(target.base_url) !== target.base_url) {
    problems.push(problemAt(input.raw, path('base_url'), 'must not hold a query or fragment'));
  }
  if (target.api !== undefined && provider !== 'openai' && !azure) {
    problems.push(problemAt(input.raw, path('api'), `must be left out for ${provider}`));
  }
  if (provider === 'mock') {
    if (target.mock === false) problems.push(problemAt(input.raw, path('mock'), 'must be true for the provider mock'));
    if (target.base_url !== undefined)
      problems.push({ path: formatPath(path('base_url')), message: 'must be left out for mock' });
  }
  const priced = new Set<string>();
  target.prices.forEach(({ model }, at) => {
    if (priced.has(model)) {
      problems.push({ path: formatPath([...path('prices'), at, 'model']), message: 'this model is priced twice' });
    }
    priced.add(model);
  });
  return problems;
}

function routeProblems(
  entries: readonly string[],
  index: number,
  targetNames: ReadonlySet<string>,
  raw: unknown,
): ConfigProblem[] {
  const known = targetNames.size === 0 ? 'there are none' : `there are ${[...targetNames].join(', ')}`;
  const seen = new Set<string>();
  return entries.flatMap((entry, at) => {
    const path = ['routes', index, 'targets', at];
    const { target, model } = splitEntry(entry);
    if (!targetNames.has(target)) return [problemAt(raw, path, `must begin with the name of a target (${known})`)];
    if (model !== undefined && !MODEL_NAME.test(model)) {
      return [problemAt(raw, path, 'must name a model after the slash')];
    }
    if (seen.has(entry)) return [{ path: formatPath(path), message: 'this entry occurs twice' }];
    seen.add(entry);
    return [];
  });
}
