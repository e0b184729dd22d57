import type { OpenAiApi, ProviderName } from '../core/provider.ts';
import type { Adapter } from './port/adapter.ts';
import { anthropic } from './anthropic/messages-api.ts';
import { azureOpenAi } from './azure-openai.ts';
import { healthCheckOf } from './shared/health-checks.ts';
import { modelListOf } from './models/provider-lists.ts';
import { deepseek } from './deepseek.ts';
import { groq } from './groq.ts';
import { ollama } from './ollama/chat-api.ts';
import { openai } from './openai.ts';

/** Provider to adapter: one line for each. */
const ADAPTERS = {
  'azure-openai': azureOpenAi,
  openai,
  anthropic: () => anthropic,
  deepseek: () => deepseek,
  ollama: () => ollama,
  groq: () => groq,
  mock: () => openai('chat_completions'),
} as const satisfies Record<ProviderName, (api: OpenAiApi, baseUrl: string) => Adapter>;

/** Returns the adapter of a provider. `api` matters to the providers that have two, `baseUrl` to Azure OpenAI. */
export function adapterFor(provider: ProviderName, api: OpenAiApi, baseUrl = ''): Adapter {
  return {
    healthCheck: healthCheckOf(provider),
    modelList: modelListOf(provider),
    ...ADAPTERS[provider](api, baseUrl),
  };
}
