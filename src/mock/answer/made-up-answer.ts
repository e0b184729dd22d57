import type { AnswerEnding, AnswerScenario, Content } from './fault-catalogue.ts';
import type { MockCall } from './asked-request.ts';
import { LETTERS_AND_DIGITS, chanceFrom, hashOf, randomText } from '../shared/seeded.ts';
import type { Chance } from '../shared/seeded.ts';
import { fittingValue, smallObject } from '../fitting/json-value.ts';
import { isObject } from '../shared/fields.ts';
import type { MockTool } from './offered-tools.ts';
import { multibyteText, reasoningText, refusalText, sentences } from './texts.ts';

/** A part of an answer, cut into its tokens; joined they are the whole text, or the JSON text of a tool call's arguments. */
export type AnswerPart =
  | { readonly kind: 'text' | 'reasoning' | 'refusal'; readonly tokens: readonly string[] }
  | { readonly kind: 'tool_call'; readonly tokens: readonly string[]; readonly id: string; readonly name: string };

/** An answer before it is put in a wire format. */
export interface MockAnswer {
  /** Fifty hexadecimal digits, from which the wire formats make its id. */
  readonly id: string;
  readonly model: string;
  /** Milliseconds since the epoch at which it was made. */
  readonly createdAtMs: number;
  readonly parts: readonly AnswerPart[];
  readonly ending: AnswerEnding;
  /** The caller's text that ended it. */
  readonly stopSequence: string | undefined;
  readonly inputTokens: number;
  /** All tokens of the output, reasoning included. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

/** Bytes of a prompt for one token. */
const PROMPT_BYTES_PER_TOKEN = 4;

const TOKEN = /\s*(?:[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]{1,2}|[^\s\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]{1,16})|\s+/gu;

/** Makes the answer to a call. The words depend on the seed and the question alone; `chance` makes the ids. */
export function answerTo(
  call: MockCall,
  scenario: AnswerScenario,
  seed: number,
  createdAtMs: number,
  chance: Chance,
): MockAnswer {
  const words = chanceFrom(hashOf(String(seed), call.question));
  const written = scenario.reasoning === true ? [textPart('reasoning', reasoningText(words))] : [];
  written.push(...mainParts(call, scenario.content, words, seed, chance));
  const stopped = stopAt(written, call.stop);
  const all = countTokens(stopped.parts);
  const limit = Math.min(
    all,
    call.maxTokens ?? Infinity,
    scenario.maxTokens ?? Infinity,
    scenario.filtered === true ? Math.ceil(all / 2) : Infinity,
  );
  const parts = firstTokens(stopped.parts, limit);
  return {
    id: randomText(chance, 50),
    model: call.model,
    createdAtMs,
    parts,
    ending: endingOf(parts, scenario, limit < all),
    stopSequence: limit < all ? undefined : stopped.sequence,
    inputTokens: Math.max(1, Math.ceil(call.promptBytes / PROMPT_BYTES_PER_TOKEN)),
    outputTokens: countTokens(parts),
    reasoningTokens: countTokens(parts.filter((part) => part.kind === 'reasoning')),
  };
}

/** Returns the text of a part. */
export function textOfPart(part: AnswerPart): string {
  return part.tokens.join('');
}

/** Cuts a text into tokens: words with the space before them, long ones in pieces, scripts without spaces in pairs. */
function tokensOf(text: string): readonly string[] {
  return text.match(TOKEN) ?? [];
}

function mainParts(
  call: MockCall,
  content: Content,
  words: Chance,
  seed: number,
  chance: Chance,
): readonly AnswerPart[] {
  if (content === 'refusal') return [textPart('refusal', refusalText(words))];
  if (content === 'nothing') return [textPart('text', '')];
  const said = textPart('text', textSaid(call, content, words, seed));
  const mayCall = call.mustCall || ((content === 'tool_call' || content === 'tool_calls') && !call.endsWithToolResult);
  if (!mayCall || call.tools.length === 0) return [said];
  const called = content === 'tool_calls' ? call.tools : call.tools.slice(0, 1);
  const calls = called.map((tool) => callPart(call, tool, seed, chance));
  return content === 'tool_calls' && call.json === undefined ? [said, ...calls] : calls;
}

/** What is said where no tool is called. What repeats the question, and what shows scripts, does so whatever is asked for. */
function textSaid(call: MockCall, content: Content, words: Chance, seed: number): string {
  if (content === 'echo') return call.question;
  if (content === 'multibyte') return multibyteText(words);
  if (call.json === undefined) return sentences(words);
  const own = hashOf(String(seed), call.question);
  return JSON.stringify(call.json === 'any_object' ? smallObject(own) : fittingValue(call.json.schema, own));
}

/** Arguments are an object, whatever their schema says or does not. */
function callPart(call: MockCall, { name, schema }: MockTool, seed: number, chance: Chance): AnswerPart {
  const wanted = isObject(schema) ? { type: 'object', ...schema } : { type: 'object' };
  return {
    kind: 'tool_call',
    id: `call_${randomText(chance, 24, LETTERS_AND_DIGITS)}`,
    name,
    tokens: JSON.stringify(fittingValue(wanted, hashOf(String(seed), call.question, name))).match(/.{1,8}/gsu) ?? [],
  };
}

function textPart(kind: 'text' | 'reasoning' | 'refusal', text: string): AnswerPart {
  return { kind, tokens: tokensOf(text) };
}

function countTokens(parts: readonly AnswerPart[]): number {
  return parts.reduce((sum, part) => sum + part.tokens.length, 0);
}

/** Cuts the text before the stop sequence that comes first. */
function stopAt(
  parts: readonly AnswerPart[],
  sequences: readonly string[],
): { readonly parts: readonly AnswerPart[]; readonly sequence?: string } {
  const [last] = parts.slice(-1);
  if (last === undefined || last.kind !== 'text') return { parts };
  const text = textOfPart(last);
  const found = sequences
    .map((sequence) => ({ sequence, at: text.indexOf(sequence) }))
    .filter(({ at }) => at >= 0)
    .toSorted((one, other) => one.at - other.at)[0];
  if (found === undefined) return { parts };
  return {
    parts: [...parts.slice(0, -1), { ...last, tokens: tokensOf(text.slice(0, found.at)) }],
    sequence: found.sequence,
  };
}

/** Keeps the first `limit` tokens; parts without any are gone. */
function firstTokens(parts: readonly AnswerPart[], limit: number): readonly AnswerPart[] {
  let left = limit;
  return parts
    .map((part) => {
      const tokens = part.tokens.slice(0, left);
      left -= tokens.length;
      return { ...part, tokens };
    })
    .filter((part) => part.tokens.length > 0);
}

function endingOf(parts: readonly AnswerPart[], scenario: AnswerScenario, isCut: boolean): AnswerEnding {
  if (scenario.filtered === true) return 'content_filter';
  if (isCut) return 'length';
  const kind = parts.at(-1)?.kind;
  if (kind === 'tool_call') return 'tool_calls';
  return kind === 'refusal' ? 'refusal' : 'stop';
}
