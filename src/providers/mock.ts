import type { Adapter } from './port/adapter.ts';
import { openai } from './openai.ts';

/**
 * The adapter of the mock that is a target of its own: OpenAI's Chat Completions. Its models are made up, and reason in silence where
 * they are asked to.
 */
export const mock: Adapter = {
  ...openai('chat_completions'),
  modelList: undefined,
  silence: (_, reasoning) => (reasoning === 'asked' ? 'without_head' : 'short'),
};
