import type { OpenAiApi } from '../core/provider.ts';
import type { Adapter } from './port/adapter.ts';
import { chatCompletions, OPENAI_CHAT } from './openai/chat-completions/completions.ts';
import { OPENAI_RESPONSES, responsesApi } from './openai/responses/response-api.ts';
import { OPENAI_LIST } from './openai/shared/models-list.ts';
import { thinkingSilence } from './openai/shared/thinking-silence.ts';
import { listingCheck } from './shared/health-checks.ts';

const KNOWN_BY_LIST = { healthCheck: listingCheck('/models'), modelList: OPENAI_LIST } as const;

const ADAPTERS = {
  responses: {
    ...responsesApi(OPENAI_RESPONSES),
    ...KNOWN_BY_LIST,
    silence: thinkingSilence('behind_signs', true),
  },
  chat_completions: {
    ...chatCompletions(OPENAI_CHAT),
    ...KNOWN_BY_LIST,
    silence: thinkingSilence('without_head', false),
  },
} as const satisfies Record<OpenAiApi, Adapter>;

/** Returns the adapter of OpenAI, and of servers that speak as it does, for one of its two APIs. */
export function openai(api: OpenAiApi): Adapter {
  return ADAPTERS[api];
}
