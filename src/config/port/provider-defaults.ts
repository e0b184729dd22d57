import type { DistinctName, ProviderName } from '../../core/provider.ts';
import { COMPATIBLE_PROVIDERS, isCompatible } from '../../core/provider.ts';
import type { Environment } from './resolved.ts';
import { withoutQuotes } from './quotes.ts';

/** What is known of a provider before anything is configured. */
export interface ProviderDefaults {
  /** Absent where every customer has another. */
  readonly baseUrl?: string;
  /** Absent where no model exists everywhere. */
  readonly model?: string;
  /** The provider's own hosts: whole names, or what a name ends in where it begins with a dot. */
  readonly ownHosts: readonly string[];
  /** Variables that must all be set for the provider to be found; the first one is the one to name. */
  readonly required: readonly string[];
  /** Variables that add to them. */
  readonly optional: readonly string[];
  /** Variables of the default model, the first that is set counts. */
  readonly modelVariables: readonly string[];
}

/** Defaults of the providers that are no {@link COMPATIBLE_PROVIDERS}. */
export const PROVIDER_DEFAULTS = {
  'azure-openai': {
    ownHosts: [
      '.openai.azure.com',
      '.services.ai.azure.com',
      '.cognitiveservices.azure.com',
      '.openai.azure.us',
      '.cognitiveservices.azure.us',
    ],
    required: ['AZURE_OPENAI_API_KEY', 'AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_DEPLOYMENT'],
    optional: ['AZURE_OPENAI_MODEL'],
    modelVariables: ['AZURE_OPENAI_MODEL', 'AZURE_OPENAI_DEPLOYMENT'],
  },
  openai: {
    baseUrl: 'https://api.openai.com/v1',
    model: 'gpt-6.1-sol',
    ownHosts: ['api.openai.com', '.api.openai.com'],
    required: ['OPENAI_API_KEY'],
    optional: ['OPENAI_ORG_ID', 'OPENAI_BASE_URL', 'OPENAI_MODEL'],
    modelVariables: ['OPENAI_MODEL'],
  },
  anthropic: {
    baseUrl: 'https://api.anthropic.com',
    model: 'claude-sonnet-5-5',
    ownHosts: ['api.anthropic.com'],
    required: ['ANTHROPIC_API_KEY'],
    optional: ['ANTHROPIC_BASE_URL', 'ANTHROPIC_MODEL'],
    modelVariables: ['ANTHROPIC_MODEL'],
  },
  deepseek: {
    baseUrl: 'https://api.deepseek.com',
    model: 'deepseek-flash',
    ownHosts: ['api.deepseek.com'],
    required: ['DEEPSEEK_API_KEY'],
    optional: ['DEEPSEEK_BASE_URL', 'DEEPSEEK_MODEL'],
    modelVariables: ['DEEPSEEK_MODEL'],
  },
  ollama: {
    baseUrl: 'http://localhost:11434',
    ownHosts: [],
    required: ['OLLAMA_BASE_URL'],
    optional: ['OLLAMA_MODEL'],
    modelVariables: ['OLLAMA_MODEL'],
  },
  mock: {
    baseUrl: 'http://mock.invalid/v1',
    model: 'mock-ok',
    ownHosts: [],
    required: [],
    optional: [],
    modelVariables: [],
  },
} as const satisfies Record<DistinctName, ProviderDefaults>;

/** Returns what is known of a provider. */
export function providerDefaults(provider: ProviderName): ProviderDefaults {
  if (!isCompatible(provider)) return PROVIDER_DEFAULTS[provider];
  const prefix = provider.toUpperCase();
  const known = COMPATIBLE_PROVIDERS.find(({ name }) => name === provider);
  return {
    ...(known !== undefined && { baseUrl: known.baseUrl, model: known.model }),
    ownHosts: known === undefined ? [] : [new URL(known.baseUrl).hostname],
    required: [`${prefix}_API_KEY`],
    optional: [`${prefix}_BASE_URL`, `${prefix}_MODEL`],
    modelVariables: [`${prefix}_MODEL`],
  };
}

/** Reads a variable without the blanks and quotes around it; unset and empty are the same. */
export function readVariable(env: Environment, name: string): string | undefined {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  return value === undefined ? undefined : withoutQuotes(value) || undefined;
}

/** Returns the model of a target that names none; undefined where the provider has no default. */
export function defaultModel(provider: ProviderName, env: Environment): string | undefined {
  const defaults = providerDefaults(provider);
  for (const name of defaults.modelVariables) {
    const model = readVariable(env, name);
    if (model !== undefined) return model;
  }
  return defaults.model;
}

/** Tells whether a base URL is on the provider's own hosts; without one it is. A name with the dot of the root is the same name. */
export function isOwnHost(provider: ProviderName, baseUrl: string | undefined): boolean {
  if (baseUrl === undefined) return true;
  const name = (URL.parse(baseUrl)?.hostname ?? '').replace(/\.$/, '');
  return providerDefaults(provider).ownHosts.some((host) =>
    host.startsWith('.') ? name.endsWith(host) : name === host,
  );
}
