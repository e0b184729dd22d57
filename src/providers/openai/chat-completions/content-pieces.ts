import { recordsOf, textOf } from '../../shared/json/value.ts';

/** A piece of what a message says. */
interface ContentPiece {
  readonly kind: 'text' | 'reasoning';
  readonly text: string;
}

/**
 * Reads the content of a message or a delta: one text, or a list of parts of which texts and thoughts count, a thought being a
 * text or texts itself. Source: https://github.com/simonw/llm-mistral/issues/39
 */
export function contentPieces(content: unknown): readonly ContentPiece[] {
  if (typeof content === 'string') return content === '' ? NOTHING : [{ kind: 'text', text: content }];
  return recordsOf(content).flatMap((part): readonly ContentPiece[] => {
    if (part.type === 'text') return [{ kind: 'text', text: textOf(part.text) }];
    if (part.type !== 'thinking') return NOTHING;
    const thought = part.thinking;
    const text =
      textOf(thought) ||
      recordsOf(thought)
        .map((inner) => textOf(inner.text))
        .join('');
    return [{ kind: 'reasoning', text }];
  });
}

const NOTHING: readonly ContentPiece[] = [];
