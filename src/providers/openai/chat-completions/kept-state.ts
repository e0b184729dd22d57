import { isSaid } from '../../shared/json/odd-value.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, recordsOf, textOf } from '../../shared/json/value.ts';
import type { ThoughtField } from './message-state.ts';
import { CALL_FIELDS, encodePartState, THOUGHT_TYPES } from './message-state.ts';

/** Most that is kept of one field, in characters: beyond it nothing is, since a part of it would be refused. */
const MAX_LENGTH = 1024 * 1024;
/** Most entries of a list. */
const MAX_ENTRIES = 1_000;
/** Fragments repeat the names of their fields: so much may be written for what is kept. */
const LONGEST_WRITTEN = 8 * MAX_LENGTH;

/** Texts that grow with every fragment; of all other fields the last value counts. */
const GROWING: ReadonlySet<string> = new Set(['text', 'summary', 'data', 'thinking']);

/** Gathers what an answer of Chat Completions wants back with its parts, from a whole message or from deltas of one. */
export class KeptState {
  #thoughts: ThoughtField | undefined;
  readonly #details = new Fragments((entry) => `${String(entry.index)} ${textOf(entry.type)} ${textOf(entry.id)}`);
  readonly #blocks = new Fragments(({ type }) => textOf(type));
  readonly #extra = new Fields();
  readonly #calls = new Map<string, Fields>();

  /** Takes the fields of a message or a delta. */
  take(message: JsonRecord): void {
    this.#thoughts ??= thoughtFieldOf(message);
    if (message.reasoning_details !== undefined) this.#details.add(recordsOf(message.reasoning_details));
    if (message.thinking_blocks !== undefined) this.#blocks.add(recordsOf(message.thinking_blocks));
    if (message.extra_content !== undefined) this.#extra.add('extra_content', message.extra_content);
  }

  /** Takes the fields of a call or a fragment of one. */
  takeCall(key: string, call: JsonRecord): void {
    for (const name of CALL_FIELDS) {
      if (asRecord(call[name]) === undefined) continue;
      const fields = this.#calls.get(key) ?? new Fields();
      this.#calls.set(key, fields);
      fields.add(name, call[name]);
    }
  }

  /** Returns the state of the message's reasoning, or of its text where it has none; undefined where there is none. */
  get ofMessage(): Uint8Array | undefined {
    const [details, blocks] = [this.#details.all, this.#blocks.all];
    const fields = {
      ...(details.length === 0 ? {} : { reasoning_details: details }),
      ...(blocks.length === 0 ? {} : { thinking_blocks: blocks }),
      ...this.#extra.all,
    };
    const hasFields = Object.keys(fields).length > 0;
    if (this.#thoughts === undefined && !hasFields) return undefined;
    const type = this.#thoughts === undefined ? 'message' : THOUGHT_TYPES[this.#thoughts];
    return encodePartState({ type, ...(hasFields ? { fields } : {}) });
  }

  /** Returns the states of calls, by their keys. */
  *ofCalls(): Iterable<readonly [key: string, state: Uint8Array]> {
    for (const [key, { all: fields }] of this.#calls) {
      if (fields !== undefined) yield [key, encodePartState({ type: 'tool_call', fields })];
    }
  }
}

/** Whether a message or a delta has anything that is kept; most have nothing. */
export function carriesState(message: JsonRecord): boolean {
  return (
    isSaid(message.reasoning_content) ||
    isSaid(message.reasoning) ||
    isSaid(message.reasoning_details) ||
    isSaid(message.thinking_blocks) ||
    isSaid(message.extra_content)
  );
}

/** Whether a delta has any of it that grows with each. */
export function gathersState({ reasoning_details, thinking_blocks, extra_content }: JsonRecord): boolean {
  return isSaid(reasoning_details) || isSaid(thinking_blocks) || isSaid(extra_content);
}

/** Whether a call or a fragment of one has anything that is kept. */
export function callCarriesState(call: JsonRecord): boolean {
  return isSaid(call.extra_content) || isSaid(call.provider_specific_fields);
}

/** Under which name a message has reasoning; some servers write both. */
function thoughtFieldOf(message: JsonRecord): ThoughtField | undefined {
  if (isSaid(message.reasoning_content)) return 'reasoning_content';
  return isSaid(message.reasoning) ? 'reasoning' : undefined;
}

/** A list that comes in fragments: an entry of a later message goes on with the newest one of its name. */
class Fragments {
  readonly #nameOf: (entry: JsonRecord) => string;
  readonly #entries: { readonly name: string; value: JsonRecord; isComplete: boolean }[] = [];
  #length = 0;

  constructor(nameOf: (entry: JsonRecord) => string) {
    this.#nameOf = nameOf;
  }

  /** All of the list; none of it where it is too long. */
  get all(): readonly JsonRecord[] {
    const entries = this.#isTooLong ? [] : this.#entries.map(({ value }) => value);
    return JSON.stringify(entries).length > MAX_LENGTH ? [] : entries;
  }

  /** Takes what one message has; entries of the same message are never one. */
  add(entries: readonly JsonRecord[]): void {
    const before = this.#entries.length;
    for (const entry of entries) {
      this.#length += JSON.stringify(entry).length;
      if (this.#isTooLong) return;
      const name = this.#nameOf(entry);
      const known = this.#entries.slice(0, before).findLast((other) => other.name === name && !other.isComplete);
      if (known === undefined) this.#entries.push({ name, value: entry, isComplete: isSigned(entry) });
      else {
        known.value = continued(known.value, entry);
        known.isComplete = isSigned(entry);
      }
    }
  }

  get #isTooLong(): boolean {
    return this.#length > LONGEST_WRITTEN || this.#entries.length > MAX_ENTRIES;
  }
}

/** Objects by name that come in fragments, whose fields are joined. */
class Fields {
  #value: Record<string, unknown> = {};
  #length = 0;

  /** All of it; undefined where there is none, or too much. */
  get all(): JsonRecord | undefined {
    return this.#length === 0 || this.#length > MAX_LENGTH ? undefined : this.#value;
  }

  /** Takes a fragment; what is no object says nothing. */
  add(name: string, value: unknown): void {
    const fields = asRecord(value);
    if (fields === undefined) return;
    this.#length += JSON.stringify(fields).length;
    if (this.#length <= MAX_LENGTH)
      this.#value = { ...this.#value, [name]: joined(asRecord(this.#value[name]), fields) };
  }
}

/** A signature ends what it signs. */
function isSigned({ signature }: JsonRecord): boolean {
  return textOf(signature) !== '';
}

function continued(known: JsonRecord, more: JsonRecord): JsonRecord {
  const value: Record<string, unknown> = { ...known };
  for (const [name, piece] of Object.entries(more)) {
    if (piece === null || piece === undefined || piece === '') continue;
    value[name] = GROWING.has(name) ? textOf(known[name]) + textOf(piece) : piece;
  }
  return value;
}

/** Joins the fields of two fragments, and those of each vendor within them. */
function joined(known: JsonRecord | undefined, more: JsonRecord): JsonRecord {
  if (known === undefined) return more;
  const value: Record<string, unknown> = { ...known };
  for (const [name, piece] of Object.entries(more)) {
    const [ours, theirs] = [asRecord(known[name]), asRecord(piece)];
    value[name] = ours === undefined || theirs === undefined ? piece : { ...ours, ...theirs };
  }
  return value;
}
