import { azureEndpoint } from '../core/azure-endpoint.ts';
import type { OpenAiApi } from '../core/provider.ts';
import type { Adapter, Translator } from './port/adapter.ts';
import {
  DATED_OPENAI_OPTIONS,
  openAiChatOptions,
  OPENAI_OPTIONS,
} from './openai/chat-completions/completion-options.ts';
import type { ChatDialect } from './openai/chat-completions/completions.ts';
import { CHAT_TAKES, chatCompletions, OPENAI_CHAT } from './openai/chat-completions/completions.ts';
import type { ResponsesDialect } from './openai/responses/response-api.ts';
import { DATED_RESPONSES_OPTIONS, OPENAI_RESPONSES, responsesApi } from './openai/responses/response-api.ts';
import { thinkingSilence } from './openai/shared/thinking-silence.ts';
import { listingCheck } from './shared/health-checks.ts';
import { sentCacheKey } from './shared/option-rules.ts';

/** Azure pads its chunks too, but that all its endpoints take the field that stops it is not documented. */
const RESPONSES: ResponsesDialect = {
  ...OPENAI_RESPONSES,
  streamFields: { stream: true },
  options: { ...OPENAI_RESPONSES.options, promptCacheKey: sentCacheKey },
};

const V1_CHAT_OPTIONS: typeof OPENAI_OPTIONS = { ...OPENAI_OPTIONS, promptCacheKey: sentCacheKey };

/** Deployments have any name, so that none tells an old model from a new one: the new names are right for both. */
const CHAT: ChatDialect = {
  ...OPENAI_CHAT,
  options: (settings, model) => openAiChatOptions(V1_CHAT_OPTIONS, settings, model, true),
  messages: (model) => ({ ...OPENAI_CHAT.messages(model, {}), partsInToolMessages: true }),
  streamOptions: () => ({ include_usage: true }),
};

/** Nothing is known of most deployments. */
const RESPONSES_SILENCE = thinkingSilence('behind_signs', true);
const CHAT_SILENCE = thinkingSilence('without_head', true);

const V1_ADAPTERS = {
  responses: azureAdapter(responsesApi(RESPONSES), RESPONSES_SILENCE),
  chat_completions: azureAdapter(chatCompletions(CHAT), CHAT_SILENCE),
} as const satisfies Record<OpenAiApi, Adapter>;

/**
 * Dated endpoints refuse fields that they do not know: `safety_identifier`, `allowed_tools`, files and the role `developer`
 * came after the last stable one. Source: its specification, 2024-10-21 in Azure/azure-rest-api-specs; those before it lack more.
 */
const DATED_ADAPTERS = {
  responses: azureAdapter(responsesApi({ ...RESPONSES, options: DATED_RESPONSES_OPTIONS }), RESPONSES_SILENCE),
  chat_completions: azureAdapter(
    chatCompletions({
      ...CHAT,
      takes: () => ({ ...CHAT_TAKES, files: 'none' }),
      options: (settings, model) => openAiChatOptions(DATED_OPENAI_OPTIONS, settings, model, false),
      messages: (model) => ({ ...CHAT.messages(model, {}), systemRole: 'system' }),
    }),
    CHAT_SILENCE,
  ),
} as const satisfies Record<OpenAiApi, Adapter>;

/** Returns the adapter of Azure OpenAI for one of its two APIs at an endpoint; the model is the deployment. */
export function azureOpenAi(api: OpenAiApi, baseUrl = ''): Adapter {
  return (azureEndpoint(baseUrl).isDated ? DATED_ADAPTERS : V1_ADAPTERS)[api];
}

/** Its list has models that could be deployed, not deployments, so that nothing is read from it. */
function azureAdapter(translator: Translator, silence: Adapter['silence']): Adapter {
  return {
    ...translator,
    healthCheck: listingCheck('/models'),
    modelList: undefined,
    silence,
  };
}
