import { PROVIDERS, type ProviderName } from '../core/provider.ts';
import type { Environment } from './port/resolved.ts';
import { problemAt, type ConfigProblem } from './port/problem.ts';
import { providerDefaults, readVariable } from './port/provider-defaults.ts';
import { isOneOf, keysOf } from './port/hidden-keys.ts';
import { deploymentDoubt } from './tree/azure-url.ts';
import { mendBaseUrl } from './tree/mend-base-url.ts';
import type { MendedUrl } from './tree/url-parts.ts';
import { hasIdentity } from './outbound/environment-identity.ts';
import type { FileTarget } from './file/schema.ts';
import { apiKeySchema, azureUrlSchema, baseUrlSchema, modelSchema } from './file/target-leaves.ts';

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
    const { optional, ...defaults } = providerDefaults(provider);
    const required = defaults.required.filter((name) => !isReplaced(name, env));
    const missing = required.filter((name) => readVariable(env, name) === undefined);
    const present = [...required, ...optional].filter((name) => readVariable(env, name) !== undefined);
    if (missing.length > 0 && present.length > 0) {
      warnings.push(`${provider} is left out: ${list(missing)} not set, although ${list(present)} set`);
    }
    const first = required[0];
    if (missing.length > 0 || first === undefined) continue;
    const faults = present.flatMap((name) => variableProblems(env, name));
    const url = urlVariable(provider);
    const mended = faults.length > 0 ? undefined : mendVariable(provider, readVariable(env, url));
    if (mended !== undefined && 'wrong' in mended) faults.push({ path: url, message: mended.wrong });
    else if (mended?.note !== undefined) warnings.push(`${url} ${mended.note}`);
    const doubt = deploymentDoubt(
      mended !== undefined && 'deployment' in mended ? mended.deployment : undefined,
      readVariable(env, 'AZURE_OPENAI_DEPLOYMENT'),
    );
    if (doubt !== undefined) warnings.push(`${url} ${doubt}`);
    problems.push(...faults);
    if (faults.length === 0) found.push(detected(provider, env, mended, `environment (${first})`));
  }
  return { found, warnings, problems };
}

/** Whether an identity in Microsoft Entra stands in for a variable. */
function isReplaced(name: string, env: Environment): boolean {
  return name === 'AZURE_OPENAI_API_KEY' && readVariable(env, name) === undefined && hasIdentity(env);
}

/** Makes a target that nothing but its provider and base URL is known of. */
export function bareTarget(provider: ProviderName, baseUrl?: string): FileTarget {
  return { name: provider, provider, base_url: baseUrl, models: [], prices: [], timeouts: {} };
}

function urlVariable(provider: ProviderName): string {
  return provider === 'azure-openai' ? 'AZURE_OPENAI_ENDPOINT' : `${provider.toUpperCase()}_BASE_URL`;
}

function mendVariable(provider: ProviderName, url: string | undefined): MendedUrl | undefined {
  return url === undefined ? undefined : mendBaseUrl(provider, url, provider === 'azure-openai');
}

function detected(
  provider: ProviderName,
  env: Environment,
  url: MendedUrl | undefined,
  source: string,
): DetectedTarget {
  const { baseUrl, api } = url === undefined || 'wrong' in url ? {} : url;
  const target = { ...bareTarget(provider, baseUrl), ...(isOpenAi(provider) && api !== undefined && { api }) };
  if (provider === 'azure-openai') {
    const deployment = readVariable(env, 'AZURE_OPENAI_DEPLOYMENT');
    const models = deployment === undefined ? [] : [deployment];
    return { target: { ...target, api_key: readVariable(env, 'AZURE_OPENAI_API_KEY'), models }, source };
  }
  const apiKey = provider === 'ollama' ? undefined : readVariable(env, `${provider.toUpperCase()}_API_KEY`);
  const organization = provider === 'openai' ? readVariable(env, 'OPENAI_ORG_ID') : undefined;
  return { target: { ...target, api_key: apiKey }, source, organization };
}

function isOpenAi(provider: ProviderName): boolean {
  return provider === 'openai' || provider === 'azure-openai';
}

function variableProblems(env: Environment, name: string): ConfigProblem[] {
  const secret = name.endsWith('_API_KEY') || name === 'OPENAI_ORG_ID';
  // Callers, log and metrics would be shown the key.
  if (!secret && isOneOf(keysOf(env), readVariable(env, name))) {
    return [{ path: name, message: 'must not have the value of a key' }];
  }
  const urls =
    name === 'AZURE_OPENAI_ENDPOINT' ? azureUrlSchema : name.endsWith('_BASE_URL') ? baseUrlSchema : undefined;
  const schema = urls ?? (secret ? apiKeySchema : modelSchema);
  const issues = schema.safeParse(readVariable(env, name)).error?.issues ?? [];
  return issues.map(({ message }) => (secret ? { path: name, message } : problemAt(env, [name], message)));
}

function list(names: readonly string[]): string {
  return `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'}`;
}
