import type { AdapterEvent } from '../port/adapter.ts';

const NOTHING: readonly AdapterEvent[] = [];

interface Part {
  readonly index: number;
  readonly kind: 'text' | 'reasoning' | 'tool_call';
  /** The first half of a surrogate pair, whose second half is still to come; otherwise empty. */
  half: string;
  hasId: boolean;
  hasName: boolean;
  hasOutput: boolean;
  isFinished: boolean;
}

/** A piece of a tool call as a provider sends it; empty texts say nothing. */
export interface CallFragment {
  readonly id: string;
  readonly name: string;
  readonly argumentsFragment: string;
}

/**
 * Numbers the parts of one answer in the order of their beginnings. Parts are named by keys of the dialect's choice. A part
 * that ends without output (encrypted reasoning) is told only with what follows it, because it is no output by itself
 * (engine rule G1). Half a character waits for its other half: JSON may cut a surrogate pair between two events, and UTF-8 has
 * no form for the halves.
 */
export class AnswerParts {
  readonly #parts = new Map<string, Part>();
  #held: AdapterEvent[] | undefined;

  /** Adds text or reasoning to a part; an empty text adds nothing and begins no part. */
  text(kind: 'text' | 'reasoning', key: string, text: string): readonly AdapterEvent[] {
    if (text === '') return NOTHING;
    const part = this.#open(key, kind);
    const whole = withoutHalf(part, text);
    if (whole === '') return NOTHING;
    return this.#output(part, { type: 'delta', delta: { kind, index: part.index, text: whole } });
  }

  /** Adds to a tool call. Id and name go out once each, with the first piece that has them. */
  call(key: string, fragment: CallFragment): readonly AdapterEvent[] {
    const told = this.#parts.get(key);
    const id = told?.hasId === true ? '' : fragment.id;
    const name = told?.hasName === true ? '' : fragment.name;
    if (id === '' && name === '' && fragment.argumentsFragment === '') return [];
    const part = this.#open(key, 'tool_call');
    const argumentsFragment = withoutHalf(part, fragment.argumentsFragment);
    if (id === '' && name === '' && argumentsFragment === '') return [];
    part.hasId ||= id !== '';
    part.hasName ||= name !== '';
    const identity = { ...(id === '' ? {} : { id }), ...(name === '' ? {} : { name }) };
    const delta = { kind: 'tool_call', index: part.index, ...identity, argumentsFragment } as const;
    return this.#output(part, { type: 'delta', delta });
  }

  /** Whether no part has begun. */
  get isEmpty(): boolean {
    return this.#parts.size === 0;
  }

  /** Whether the part has begun. */
  has(key: string): boolean {
    return this.#parts.has(key);
  }

  /** Ends a part, once; with a state it is begun if need be. */
  finish(key: string, state?: Uint8Array): readonly AdapterEvent[] {
    const part = state === undefined ? this.#parts.get(key) : this.#open(key, 'reasoning');
    if (part === undefined || part.isFinished) return NOTHING;
    part.isFinished = true;
    const half = this.#releaseHalf(part);
    const event: AdapterEvent = {
      type: 'delta',
      delta: { kind: 'part_finished', index: part.index, ...(state === undefined ? {} : { state }) },
    };
    if (part.hasOutput) return half === NOTHING ? [event] : [...half, event];
    this.#held ??= [];
    this.#held.push(event);
    return NOTHING;
  }

  /** Ends all parts that are open, in order, and releases what was held. */
  finishAll(): readonly AdapterEvent[] {
    const ended: AdapterEvent[] = [];
    for (const key of this.#parts.keys()) ended.push(...this.finish(key));
    return [...this.#release(), ...ended];
  }

  #open(key: string, kind: Part['kind']): Part {
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    const index = this.#parts.size;
    const part = { index, kind, half: '', hasId: false, hasName: false, hasOutput: false, isFinished: false };
    this.#parts.set(key, part);
    return part;
  }

  #output(part: Part, event: AdapterEvent): readonly AdapterEvent[] {
    part.hasOutput = true;
    return this.#held === undefined ? [event] : [...this.#release(), event];
  }

  /** What lacks its other half to the end goes out as it is. */
  #releaseHalf(part: Part): readonly AdapterEvent[] {
    const { kind, index, half } = part;
    if (half === '') return NOTHING;
    part.half = '';
    const delta = kind === 'tool_call' ? { kind, index, argumentsFragment: half } : { kind, index, text: half };
    return this.#output(part, { type: 'delta', delta });
  }

  #release(): readonly AdapterEvent[] {
    const held = this.#held ?? NOTHING;
    this.#held = undefined;
    return held;
  }
}

/** Returns what a part has to say with a further piece, and keeps half a character at its end for the next. */
function withoutHalf(part: Part, piece: string): string {
  const text = part.half === '' ? piece : part.half + piece;
  const last = text.charCodeAt(text.length - 1);
  const isHalf = last >= 0xd800 && last <= 0xdbff;
  part.half = isHalf ? text.slice(-1) : '';
  return isHalf ? text.slice(0, -1) : text;
}
