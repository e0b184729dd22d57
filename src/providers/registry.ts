import type { OpenAiApi, ProviderName } from '../core/provider.ts';
import type { Adapter } from './port/adapter.ts';
import { anthropic } from './anthropic/messages-api.ts';
import { azureOpenAi } from './azure-openai.ts';
import { deepseek } from './deepseek.ts';
import { groq } from './groq.ts';
import { mistral } from './mistral.ts';
import { mock } from './mock.ts';
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
  mistral: () => mistral,
  mock: () => mock,
} as const satisfies Record<ProviderName, (api: OpenAiApi, baseUrl: string) => Adapter>;

/** Returns the adapter of a provider. `api` matters to the providers that have two, `baseUrl` to Azure OpenAI. */
export function adapterFor(provider: ProviderName, api: OpenAiApi, baseUrl = ''): Adapter {
  return ADAPTERS[provider](api, baseUrl);
}
