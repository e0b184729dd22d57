import type { OpenAiApi, ProviderName } from '../../src/core/provider.ts';
import { PROVIDERS } from '../../src/core/provider.ts';
import type { Adapter } from '../../src/providers/port/adapter.ts';
import { adapterFor } from '../../src/providers/registry.ts';
import { chatOf, wire } from './chat-samples.ts';

/** A provider at one of its APIs. */
export interface ProviderApi {
  readonly provider: ProviderName;
  readonly api: OpenAiApi;
  readonly baseUrl: string;
  readonly adapter: Adapter;
  /** Where its requests go. */
  readonly path: string;
}

/** Every provider of the registry at each of its APIs; those with one are there once. */
export const EVERY_ADAPTER: readonly ProviderApi[] = PROVIDERS.flatMap((provider) => {
  const [chat, responses] = [at(provider, 'chat_completions'), at(provider, 'responses')];
  return responses.path === chat.path ? [chat] : [responses, chat];
});

/** Where each of OpenAI's APIs is, by the dialect of recordings. */
const PATHS: ReadonlyMap<string, string> = new Map([
  ['openai', '/chat/completions'],
  ['openai-responses', '/responses'],
]);

/** Returns which of our providers speaks as the one of a recording does, over one of OpenAI's APIs; undefined where none does. */
export function speakerOf(provider: string, dialect: string): ProviderApi | undefined {
  const path = PATHS.get(dialect);
  const name = provider.replace(' (OpenAI dialect)', '');
  return EVERY_ADAPTER.find((one) => one.provider === name && one.path === path);
}

/** Returns a provider at one of its APIs, where its base URL matters at that. */
export function at(provider: ProviderName, api: OpenAiApi, baseUrl = ''): ProviderApi {
  const adapter = adapterFor(provider, api, baseUrl);
  const { path } = wire(adapter.request(chatOf({}), { name: 'main', provider, model: 'm', stream: false }));
  return { provider, api, baseUrl, adapter, path };
}
