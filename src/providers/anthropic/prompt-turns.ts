import type { Failure } from '../../core/failure.ts';
import type { AdapterTarget, AdapterWarning } from '../port/adapter.ts';
import { NO_QUIRKS } from '../port/quirk.ts';
import type { Block } from './content-blocks.ts';
import { anthropicBlocks } from './content-blocks.ts';
import { allParts, chooseBreakpoints, NO_BREAKPOINTS, tooManyBytes } from './request-limits.ts';
import type { ClaudeModel } from '../models/claude-models.ts';
import type { ReadPart, Turn } from '../shared/conversation.ts';
import type { ToolIdForm } from '../shared/tool-ids.ts';
import { unsupported } from '../shared/provider-failure.ts';
import { toolIdsFor } from '../shared/tool-ids.ts';
import { parameterAdjusted } from '../shared/warnings.ts';

/** The API takes letters, digits, `_` and `-`; ids that other providers made of more than that are spelled with these. */
const TOOL_IDS: ToolIdForm = {
  fits: /^[\w-]+$/,
  rewrite: (id, attempt) => {
    const spelled = id.replace(/[^\w-]/gu, (character) => `_${(character.codePointAt(0) ?? 0).toString(16)}_`);
    return attempt === 0 ? spelled : `${spelled}_${attempt}`;
  },
};

interface WireTurn {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: readonly Block[];
}

/** A conversation in the form of the Messages API. */
interface AnthropicPrompt {
  /** Instructions before the first turn. */
  readonly system: readonly Block[];
  readonly messages: readonly WireTurn[];
  readonly warnings: readonly AdapterWarning[];
  /** Whether the conversation waits for what follows results of tools that were called without reasoning before. */
  readonly continuesWithoutThinking: boolean;
}

/**
 * Translates the messages of a conversation. Leading system messages become the top-level `system`. A later one must
 * follow a user turn and stand before an assistant turn or at the end, and no two may be neighbours: so those of one turn
 * are joined behind the user's words that they concern. A model without such messages gets them in `system`, with a
 * warning. Neighbours of the same role become one turn, as the API itself would do. Results of tools are a user's turn, and
 * stand before everything else in it, because the API wants all of them first after the calls. Where the last words of the user
 * are blanks, which the API does not take, there is nothing to answer: a failure of class `capability`.
 *
 * Source: https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages,
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls
 *
 * @param isCached whether the whole prompt is to be cached, so that the next turn reads it, whatever parts are marked
 */
export function anthropicPrompt(
  conversation: readonly Turn[],
  model: ClaudeModel,
  { model: modelId, ownHost = true, quirks = NO_QUIRKS }: AdapterTarget,
  isCached: boolean,
): AnthropicPrompt | { readonly failure: Failure } {
  const parts = allParts(conversation);
  const tooMany = tooManyBytes(parts);
  if (tooMany !== undefined) return { failure: tooMany };
  const last = isCached ? lastOf(conversation) : undefined;
  const breakpoints = quirks.has('no cache_control') ? NO_BREAKPOINTS : chooseBreakpoints(parts, last);
  const warnings: AdapterWarning[] = [...breakpoints.warnings];
  const context = { model: modelId, ownHost, breakpoints: breakpoints.kept, toolId: toolIdsFor(TOOL_IDS), warnings };
  const placing = new Placing(model.systemBetweenTurns);
  for (const { role, parts: own } of conversation) {
    const blocks = anthropicBlocks(own, context);
    if ('failure' in blocks) return blocks;
    placing.add(role, blocks);
  }
  const { system, turns, isMoved } = placing.end();
  const missing = nothingToAnswer(turns, conversation);
  if (missing !== undefined) return { failure: missing };
  return {
    system,
    messages: turns,
    warnings: isMoved ? [MOVED, ...warnings] : warnings,
    continuesWithoutThinking: continuesWithoutThinking(turns),
  };
}

/** The part that ends what the next turn repeats: instructions behind it may be moved. Blanks are not sent. */
function lastOf(conversation: readonly Turn[]): ReadPart | undefined {
  const last = conversation.findLast(({ role }) => role !== 'system');
  return last?.parts.findLast(({ part }) => part.case !== 'text' || part.value.trim() !== '');
}

/** Puts blocks into turns, in the order of the conversation. */
class Placing {
  readonly #systemBetweenTurns: boolean;
  readonly #system: Block[] = [];
  readonly #turns: { readonly role: WireTurn['role']; readonly content: Block[] }[] = [];
  #waiting: Block[] = [];
  #isMoved = false;

  constructor(systemBetweenTurns: boolean) {
    this.#systemBetweenTurns = systemBetweenTurns;
  }

  add(speaker: Turn['role'], blocks: readonly Block[]): void {
    if (blocks.length === 0) return;
    if (speaker === 'system') {
      const isLater = this.#turns.length > 0;
      (isLater && this.#systemBetweenTurns ? this.#waiting : this.#system).push(...blocks);
      this.#isMoved ||= isLater && !this.#systemBetweenTurns;
      return;
    }
    if (speaker === 'assistant') this.#placeWaiting();
    const role = speaker === 'assistant' ? speaker : 'user';
    const last = this.#turns.at(-1);
    if (last?.role !== role) this.#turns.push({ role, content: [...blocks] });
    else if (speaker === 'tool') last.content.splice(resultCount(last.content), 0, ...blocks);
    else last.content.push(...blocks);
  }

  end() {
    this.#placeWaiting();
    return { system: this.#system, turns: this.#turns, isMoved: this.#isMoved };
  }

  #placeWaiting(): void {
    if (this.#waiting.length === 0 || this.#turns.at(-1)?.role !== 'user') return;
    this.#turns.push({ role: 'system', content: this.#waiting });
    this.#waiting = [];
  }
}

/** Names the blank text for want of which a conversation would have no message, or end with one of the assistant. */
function nothingToAnswer(turns: readonly WireTurn[], conversation: readonly Turn[]): Failure | undefined {
  if (turns.findLast(({ role }) => role !== 'system')?.role === 'user') return undefined;
  const said = conversation.findLast(({ role }) => role === 'user');
  const blank = said?.parts.findLast(({ part }) => part.case === 'text');
  return blank && unsupported(`${blank.place}.text`, 'The model takes no text of blanks alone.');
}

function resultCount(content: readonly Block[]): number {
  const first = content.findIndex(({ type }) => type !== 'tool_result');
  return first < 0 ? content.length : first;
}

function continuesWithoutThinking(turns: readonly WireTurn[]): boolean {
  const isResult = turns.findLast(({ role }) => role === 'user')?.content[0]?.type === 'tool_result';
  const first = turns.findLast(({ role }) => role === 'assistant')?.content[0]?.type;
  return isResult && first !== 'thinking' && first !== 'redacted_thinking';
}

const MOVED = parameterAdjusted(
  'messages',
  'The model takes instructions only at the beginning; later ones were moved there.',
);
