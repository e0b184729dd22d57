import type { JsonRecord } from '../../shared/json/value.ts';
import { recordsOf, textOf } from '../../shared/json/value.ts';

/**
 * Returns the reasoning of a message or a delta that has it under none of the two usual names: OpenRouter's details, LiteLLM's
 * blocks, Copilot's `reasoning_text`, `thinking` of servers in front of Claude and Ollama. Nothing where there is none, or where
 * a field of this name says something else, such as that all of the message is a thought.
 */
export function otherThoughts(message: JsonRecord): string {
  const { reasoning_details: details, thinking_blocks: blocks } = message;
  if (details !== undefined && details !== null) return joined(details);
  if (blocks !== undefined && blocks !== null) return joined(blocks);
  const { reasoning_text: text, thinking, thought } = message;
  return wordsOf(text) || wordsOf(thinking) || wordsOf(thought) || wordsOf(message.thinking_content);
}

function wordsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? joined(Array.isArray(value) ? value : [value]) : '';
}

/** What of a list can be read; what is encrypted cannot. */
function joined(list: unknown): string {
  return recordsOf(list)
    .map((entry) => textOf(entry.text) || textOf(entry.summary) || textOf(entry.thinking) || textOf(entry.content))
    .join('');
}
