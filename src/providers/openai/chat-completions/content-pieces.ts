import { wordsIn } from '../../shared/json/odd-value.ts';
import { asRecord } from '../../shared/json/value.ts';

/** A piece of what a message says; `unknown`: a part of a kind that has no words, or that nobody knows. */
type ContentPiece =
  | { readonly kind: 'text' | 'reasoning' | 'refusal'; readonly text: string }
  | { readonly kind: 'unknown' };

/** Kinds of parts that have words. */
const KINDS: ReadonlyMap<unknown, 'text' | 'reasoning' | 'refusal'> = new Map<
  unknown,
  'text' | 'reasoning' | 'refusal'
>([
  [undefined, 'text'],
  [null, 'text'],
  ['text', 'text'],
  ['output_text', 'text'],
  ['input_text', 'text'],
  ['thinking', 'reasoning'],
  ['reasoning', 'reasoning'],
  ['reasoning_text', 'reasoning'],
  ['reasoning_content', 'reasoning'],
  ['summary_text', 'reasoning'],
  ['refusal', 'refusal'],
]);

/** Kinds of parts that say where the words beside them are from. */
const SOURCES: ReadonlySet<unknown> = new Set(['reference', 'tool_reference', 'citation', 'citations']);

/**
 * Reads the content of a message or a delta: one text, or parts, each of which may be a text or texts itself. Undefined where
 * words are expected and something else stands there. Source: https://github.com/simonw/llm-mistral/issues/39
 */
export function contentPieces(content: unknown): readonly ContentPiece[] | undefined {
  if (typeof content === 'string') return content === '' ? NOTHING : [{ kind: 'text', text: content }];
  if (content === undefined || content === null) return NOTHING;
  const parts: readonly unknown[] = Array.isArray(content) ? content : [content];
  const pieces: ContentPiece[] = [];
  for (const part of parts) {
    if (SOURCES.has(asRecord(part)?.type)) continue;
    const piece = pieceOf(part);
    if (piece === undefined) return undefined;
    pieces.push(piece);
  }
  return pieces;
}

function pieceOf(part: unknown): ContentPiece | undefined {
  const record = asRecord(part);
  const kind = record === undefined ? 'text' : KINDS.get(record.type);
  if (kind === undefined) return { kind: 'unknown' };
  const text = wordsIn(part);
  if (text !== undefined) return { kind, text };
  // A part that has no words yet, or has them where nobody looks for them.
  if (record?.text === null) return { kind, text: '' };
  return record?.text === undefined ? { kind: 'unknown' } : undefined;
}

const NOTHING: readonly ContentPiece[] = [];
