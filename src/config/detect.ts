import { PROVIDERS, type ProviderName } from '../core/provider.ts';
import { azureBaseUrl } from './port/base-url.ts';
import type { Environment } from './port/resolved.ts';
import { problemAt, type ConfigProblem } from './port/problem.ts';
import { providerDefaults, readVariable } from './port/provider-defaults.ts';
import { isOneOf, keysOf } from './port/hidden-keys.ts';
import { apiKeySchema, baseUrlSchema, modelSchema, type FileTarget } from './file/schema.ts';

/** A provider that the environment configures. */
export interface DetectedTarget {
  readonly target: FileTarget;
  readonly organization?: string | undefined;
  readonly source: string;
}

/** What the environment configures. */
export interface Detection {
  /** In the order of the chain. */
  readonly found: readonly DetectedTarget[];
  /** One sentence per provider that is configured in part. */
  readonly warnings: readonly string[];
  readonly problems: readonly ConfigProblem[];
}

/** Finds providers in the environment: those whose required variables are all set. */
export function detectTargets(env: Environment): Detection {
  const found: DetectedTarget[] = [];
  const warnings: string[] = [];
  const problems: ConfigProblem[] = [];
  for (const provider of PROVIDERS) {
    const { required, optional } = providerDefaults(provider);
    const missing = required.filter((name) => readVariable(env, name) === undefined);
    const present = [...required, ...optional].filter((name) => readVariable(env, name) !== undefined);
    if (missing.length > 0 && present.length > 0) {
      warnings.push(`${provider} is left out: ${list(missing)} not set, although ${list(present)} set`);
    }
    const first = required[0];
    if (missing.length > 0 || first === undefined) continue;
    const faults = present.flatMap((name) => variableProblems(env, name));
    problems.push(...faults);
    if (faults.length === 0) found.push(detected(provider, env, `environment (${first})`));
  }
  return { found, warnings, problems };
}

/** Makes a target that nothing but its provider and base URL is known of. */
export function bareTarget(provider: ProviderName, baseUrl?: string): FileTarget {
  return { name: provider, provider, base_url: baseUrl, models: [], prices: [], timeouts: {} };
}

function detected(provider: ProviderName, env: Environment, source: string): DetectedTarget {
  if (provider === 'azure-openai') {
    const deployment = readVariable(env, 'AZURE_OPENAI_DEPLOYMENT');
    const target: FileTarget = {
      ...bareTarget(provider, azureBaseUrl(readVariable(env, 'AZURE_OPENAI_ENDPOINT') ?? '')),
      api_key: readVariable(env, 'AZURE_OPENAI_API_KEY'),
      models: deployment === undefined ? [] : [deployment],
    };
    return { target, source };
  }
  const prefix = provider.toUpperCase();
  const target: FileTarget = {
    ...bareTarget(provider, readVariable(env, `${prefix}_BASE_URL`)),
    api_key: provider === 'ollama' ? undefined : readVariable(env, `${prefix}_API_KEY`),
  };
  return { target, source, organization: provider === 'openai' ? readVariable(env, 'OPENAI_ORG_ID') : undefined };
}

function variableProblems(env: Environment, name: string): ConfigProblem[] {
  const secret = name.endsWith('_API_KEY') || name === 'OPENAI_ORG_ID';
  // Callers, log and metrics would be shown the key.
  if (!secret && isOneOf(keysOf(env), readVariable(env, name))) {
    return [{ path: name, message: 'must not have the value of a key' }];
  }
  const schema = secret ? apiKeySchema : /_(BASE_URL|ENDPOINT)$/.test(name) ? baseUrlSchema : modelSchema;
  const issues = schema.safeParse(readVariable(env, name)).error?.issues ?? [];
  return issues.map(({ message }) => (secret ? { path: name, message } : problemAt(env, [name], message)));
}

function list(names: readonly string[]): string {
  return `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'}`;
}
