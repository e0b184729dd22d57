import { isObject, listOf, objectOf } from '../shared/fields.ts';
import type { Json } from '../shared/fields.ts';
import { chanceFrom, hashOf, LETTERS_AND_DIGITS, randomText } from '../shared/seeded.ts';

/** Most marks for the cache in one request. */
const MAX_MARKS = 4;

/**
 * Whether the Messages API takes a request, as far as its own rules go: `max_tokens` is there; the last word is not the assistant's; no text is blank; every call has its result at the beginning
 * of the next turn; reasoning comes back as it was written; at most four marks for the cache.
 */
export function isTakenByAnthropic(body: Json): boolean {
  if (typeof body['max_tokens'] !== 'number') return false;
  const turns = listOf(body['messages']).map(objectOf);
  const blocks = [...listOf(body['system']), ...turns.flatMap(({ content }) => listOf(content))].filter(isObject);
  return (
    turns.findLast(({ role }) => role !== 'system')?.['role'] === 'user' &&
    blocks.every(isTakenBlock) &&
    turns.every((turn, index) => hasResults(turn, turns.slice(index + 1))) &&
    blocks.filter((block) => block['cache_control'] !== undefined).length <= MAX_MARKS
  );
}

/** Returns what the mock signs its reasoning with; it depends on the text alone, so that it can be told again. */
export function signatureFor(thinking: string): string {
  return `Er${randomText(chanceFrom(hashOf('signature', thinking)), 94, LETTERS_AND_DIGITS)}==`;
}

function isTakenBlock(block: Json): boolean {
  switch (block['type']) {
    case 'text':
      return typeof block['text'] === 'string' && block['text'].trim() !== '';
    case 'thinking':
      return typeof block['thinking'] === 'string' && block['signature'] === signatureFor(block['thinking']);
    case 'tool_use':
      return isObject(block['input']) && /^[\w-]+$/.test(String(block['id']));
    default:
      return typeof block['type'] === 'string';
  }
}

/** The results of the calls of a turn are the first blocks of the next one. */
function hasResults({ role, content }: Json, later: readonly Json[]): boolean {
  if (role !== 'assistant') return true;
  const called = blocksOf(content, 'tool_use').map(({ id }) => id);
  const next = listOf(later.find((turn) => turn['role'] === 'user')?.['content']).map(objectOf);
  const answered = next.slice(0, called.length).map((block) => block['tool_use_id']);
  return called.length === answered.length && called.every((id) => answered.includes(id));
}

function blocksOf(content: unknown, type: string): readonly Json[] {
  return listOf(content)
    .map(objectOf)
    .filter((block) => block['type'] === type);
}
