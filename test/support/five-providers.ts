import type { DistinctName } from '../../src/core/provider.ts';
import { isCompatible, PROVIDERS } from '../../src/core/provider.ts';
import type { Recording } from './replay-server.ts';

/** A provider that differs from all others in more than what its models take. */
export type Provider = Exclude<DistinctName, 'mock'>;

/** All of them, in the order of the chain. */
export const FIVE: readonly Provider[] = PROVIDERS.filter(
  (name): name is Provider => name !== 'mock' && !isCompatible(name),
);

/** Where each provider is asked at one origin: no two share a path. */
export const CHAT_PATHS = {
  'azure-openai': '/openai/v1/chat/completions',
  openai: '/v1/chat/completions',
  anthropic: '/v1/messages',
  deepseek: '/chat/completions',
  ollama: '/api/chat',
} as const satisfies Record<Provider, string>;

/** The model that each target asks for by default. */
export const DEFAULT_MODELS = {
  'azure-openai': 'deployment-of-the-test',
  openai: 'gpt-6.1-sol',
  anthropic: 'claude-sonnet-5-5',
  deepseek: 'deepseek-flash',
  ollama: 'qwen3:4b',
} as const satisfies Record<Provider, string>;

/** The key of each provider; Ollama needs none. */
export const KEYS = {
  'azure-openai': 'key-of-azure-openai',
  openai: 'key-of-openai',
  anthropic: 'key-of-anthropic',
  deepseek: 'key-of-deepseek',
} as const satisfies Partial<Record<Provider, string>>;

/** Variables that configure all five, each at its path of one origin. */
export function fiveProviders(origin: string): Readonly<Record<string, string>> {
  return {
    AZURE_OPENAI_API_KEY: KEYS['azure-openai'],
    AZURE_OPENAI_ENDPOINT: origin,
    AZURE_OPENAI_DEPLOYMENT: DEFAULT_MODELS['azure-openai'],
    OPENAI_API_KEY: KEYS.openai,
    OPENAI_BASE_URL: `${origin}/v1`,
    ANTHROPIC_API_KEY: KEYS.anthropic,
    ANTHROPIC_BASE_URL: origin,
    DEEPSEEK_API_KEY: KEYS.deepseek,
    DEEPSEEK_BASE_URL: origin,
    OLLAMA_BASE_URL: origin,
  };
}

/** Ollama's list of models; the first one is the default. */
export const INSTALLED_MODELS: Recording = jsonReply(200, {
  models: [{ name: DEFAULT_MODELS.ollama }, { name: 'llama3.2:latest' }],
});

/** Makes a reply with a JSON body. */
export function jsonReply(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Recording {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
