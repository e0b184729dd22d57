import type { OpenAiApi } from '../core/provider.ts';
import type { Adapter } from './port/adapter.ts';
import { chatCompletions, OPENAI_CHAT } from './openai/chat-completions/completions.ts';
import { OPENAI_RESPONSES, responsesApi } from './openai/responses/response-api.ts';

const ADAPTERS = {
  responses: responsesApi(OPENAI_RESPONSES),
  chat_completions: chatCompletions(OPENAI_CHAT),
} as const satisfies Record<OpenAiApi, Adapter>;

/** Returns the adapter of OpenAI, and of servers that speak as it does, for one of its two APIs. */
export function openai(api: OpenAiApi): Adapter {
  return ADAPTERS[api];
}
