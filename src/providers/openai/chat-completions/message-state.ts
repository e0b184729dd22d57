import type { Quirk } from '../../port/quirk.ts';
import type { ReadPart } from '../../shared/conversation.ts';
import { stateBytes, stateRecord } from '../../shared/json/state-bytes.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, recordsOf } from '../../shared/json/value.ts';

/**
 * Fields of a message of the assistant that its server wants back as it wrote them: OpenRouter's reasoning, LiteLLM's blocks of
 * Claude's, Gemini's signatures.
 *
 * Sources: https://openrouter.ai/docs/use-cases/reasoning-tokens, https://docs.litellm.ai/docs/reasoning_content,
 * https://ai.google.dev/gemini-api/docs/thought-signatures.
 */
const STATE_FIELDS = ['reasoning_details', 'thinking_blocks', 'extra_content'] as const;

/** The same of a call of a tool. */
export const CALL_FIELDS = ['extra_content', 'provider_specific_fields'] as const;

/** The two names under which servers give out what the model thought, and take it back. */
export type ThoughtField = 'reasoning_content' | 'reasoning';

/** The types of states by these names; the item of the Responses API is a `reasoning` too. */
export const THOUGHT_TYPES = {
  reasoning_content: 'reasoning_content',
  reasoning: 'reasoning_field',
} as const satisfies Record<ThoughtField, string>;

/**
 * What goes with a part of an answer as its state: of reasoning, under which name its words came; of any part, the fields that
 * stood beside them. The words themselves are in the part.
 */
interface PartState {
  readonly type: (typeof THOUGHT_TYPES)[ThoughtField] | 'message' | 'tool_call';
  readonly fields?: JsonRecord;
}

/** What Gemini takes in place of a signature for a call that it has not made. Source: its page on thought signatures. */
const FOREIGN_SIGNATURE = { google: { thought_signature: 'skip_thought_signature_validator' } };

/** Stands for thoughts that are not known: some servers refuse an empty text. */
const NO_THOUGHT = ' ';

/** Writes a state. */
export function encodePartState(state: PartState): Uint8Array {
  return stateBytes(state);
}

/** Returns the fields that a message of the assistant gets back besides its content and calls, from the states of its parts. */
export function returnedFields(parts: readonly ReadPart[], quirks: ReadonlySet<Quirk>): JsonRecord {
  const fields: Record<string, unknown> = {};
  const thoughts: Partial<Record<ThoughtField, string>> = {};
  let hasCalls = false;
  for (const read of parts) {
    const { part } = read;
    if (part.case === 'toolCall') {
      hasCalls = true;
      continue;
    }
    const state = stateRecord(read.state);
    if (state === undefined) continue;
    pick(fields, asRecord(state.fields), STATE_FIELDS, quirks);
    const name = thoughtField(state.type, quirks);
    if (part.case === 'reasoning' && name !== undefined) thoughts[name] = (thoughts[name] ?? '') + part.value.text;
  }
  // What has a form of its own has the words in it.
  const isTold = fields.reasoning_details !== undefined || fields.thinking_blocks !== undefined;
  const isWanted = quirks.has('wants reasoning_content');
  // Elsewhere models go on with what they thought while they use tools, and not with what they thought in earlier turns.
  if (!isTold && (hasCalls || isWanted)) Object.assign(fields, thoughts);
  const isMissing = hasCalls && !isTold && (thoughts.reasoning_content ?? '') === '';
  return isMissing && isWanted ? { ...fields, reasoning_content: NO_THOUGHT } : fields;
}

/** Returns the fields that a call gets back; `isFirst`: of those of its message. */
export function returnedCallFields(call: ReadPart, isFirst: boolean, quirks: ReadonlySet<Quirk>): JsonRecord {
  const fields: Record<string, unknown> = {};
  pick(fields, asRecord(stateRecord(call.state)?.fields), CALL_FIELDS, quirks);
  const isMissing = isFirst && fields.extra_content === undefined && quirks.has('wants thought_signature');
  return isMissing ? { ...fields, extra_content: FOREIGN_SIGNATURE } : fields;
}

/** Callers hand the state in: no more of it is sent than was given out. */
function pick(
  into: Record<string, unknown>,
  from: JsonRecord | undefined,
  names: readonly (typeof STATE_FIELDS | typeof CALL_FIELDS)[number][],
  quirks: ReadonlySet<Quirk>,
): void {
  if (from === undefined) return;
  for (const name of names) {
    const value = from[name];
    if (quirks.has(`no ${name}`)) continue;
    if (Array.isArray(value)) into[name] = [...recordsOf(into[name]), ...recordsOf(value)];
    else if (asRecord(value) !== undefined) into[name] = value;
  }
}

function thoughtField(type: unknown, quirks: ReadonlySet<Quirk>): ThoughtField | undefined {
  if (type !== THOUGHT_TYPES.reasoning && type !== THOUGHT_TYPES.reasoning_content) return undefined;
  const isContent = type === THOUGHT_TYPES.reasoning_content || quirks.has('wants reasoning_content');
  const name = isContent ? 'reasoning_content' : 'reasoning';
  return quirks.has(`no ${name}`) ? undefined : name;
}
