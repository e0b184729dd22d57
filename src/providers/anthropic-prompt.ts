import type { AdapterWarning } from './adapter.ts';
import type { ClaudeModel } from './anthropic-models.ts';
import type { Turn } from './conversation.ts';
import { textsOf } from './conversation.ts';
import { parameterAdjusted } from './warnings.ts';

interface TextBlock {
  readonly type: 'text';
  readonly text: string;
}

interface WireTurn {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: readonly TextBlock[];
}

/** A conversation in the form of the Messages API. */
interface AnthropicPrompt {
  /** Instructions before the first turn. */
  readonly system: readonly TextBlock[];
  readonly messages: readonly WireTurn[];
  readonly warnings: readonly AdapterWarning[];
}

/**
 * Translates the messages of a conversation. Leading system messages become the top-level `system`. A later one must
 * follow a user turn and stand before an assistant turn or at the end, and no two may be neighbours: so those of one turn
 * are joined behind the user's words that they concern. A model without such messages gets them in `system`, with a
 * warning. Neighbours of the same role become one turn, as the API itself would do.
 *
 * Source: https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
 */
export function anthropicPrompt(conversation: readonly Turn[], model: ClaudeModel): AnthropicPrompt {
  const system: TextBlock[] = [];
  const turns: { readonly role: WireTurn['role']; readonly content: TextBlock[] }[] = [];
  let waiting: TextBlock[] = [];
  let isMoved = false;

  const placeWaiting = (): void => {
    if (waiting.length === 0 || turns.at(-1)?.role !== 'user') return;
    turns.push({ role: 'system', content: waiting });
    waiting = [];
  };

  for (const turn of conversation) {
    const { role } = turn;
    const blocks = textsOf(turn).map((text): TextBlock => ({ type: 'text', text }));
    if (blocks.length === 0 || role === 'tool') continue;
    if (role === 'system') {
      const isLater = turns.length > 0;
      if (isLater && model.systemBetweenTurns) waiting.push(...blocks);
      else system.push(...blocks);
      isMoved ||= isLater && !model.systemBetweenTurns;
      continue;
    }
    if (role === 'assistant') placeWaiting();
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else turns.push({ role, content: blocks });
  }
  placeWaiting();
  return { system, messages: turns, warnings: isMoved ? [MOVED] : [] };
}

const MOVED = parameterAdjusted(
  'messages',
  'The model takes instructions only at the beginning; later ones were moved there.',
);
