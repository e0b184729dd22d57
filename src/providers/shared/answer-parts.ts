import type { AdapterEvent } from '../port/adapter.ts';
import { providerFailure } from './provider-failure.ts';

const NOTHING: readonly AdapterEvent[] = [];

interface Part {
  readonly index: number;
  readonly kind: 'text' | 'reasoning' | 'tool_call';
  /** The first half of a surrogate pair, whose second half is still to come; otherwise empty. */
  half: string;
  /** Arguments that say nothing yet: blanks, the beginning of `null`, or `{}`, behind which some servers send the real ones. */
  blank: string;
  hasArguments: boolean;
  hasOutput: boolean;
  isFinished: boolean;
}

/** A piece of a tool call as a provider sends it; empty texts say nothing. */
export interface CallFragment {
  readonly id: string;
  readonly name: string;
  readonly argumentsFragment: string;
}

/** What is known of a call that has no name yet. */
interface Nameless {
  readonly id: string;
  readonly pieces: string[];
  length: number;
}

/** Most characters of arguments that are kept for a call without a name. */
const MOST_NAMELESS = 65_536;
/** Most blanks before arguments that are passed on; they mean nothing. */
const MOST_BLANKS = 64;
/** Characters of an answer's id in the ids that are made of it. */
const SEED_LENGTH = 48;
/** Arguments that are none. */
const NO_ARGUMENTS: ReadonlySet<string> = new Set(['', 'null', '{}']);

/** Arguments came for a call that nobody can make, since it has no name; or a part is said to be of two kinds. */
const MALFORMED: readonly AdapterEvent[] = [{ type: 'failure', failure: providerFailure('protocol') }];

/**
 * Numbers the parts of one answer in the order of their beginnings. Parts are named by keys of the dialect's choice. A part
 * that ends without output (encrypted reasoning) is told only with what follows it, because it is no output by itself
 * (engine rule G1). Half a character waits for its other half: JSON may cut a surrogate pair between two events, and UTF-8 has
 * no form for the halves. A call begins with its name; one that never gets a name is none, unless it has arguments, which is
 * a failure of class `protocol`. One without arguments has `{}`, one without an id gets one.
 */
export class AnswerParts {
  readonly #parts = new Map<string, Part>();
  readonly #seed: () => string;
  #nameless: Map<string, Nameless> | undefined;
  #callCount = 0;
  #held: AdapterEvent[] | undefined;

  /** @param seed returns what ids are made of for calls that have none: the answer's own id, so that they do not come again. */
  constructor(seed: () => string = () => '') {
    this.#seed = seed;
  }

  /** Adds text or reasoning to a part; an empty text adds nothing and begins no part. */
  text(kind: 'text' | 'reasoning', key: string, text: string): readonly AdapterEvent[] {
    if (text === '') return NOTHING;
    const part = this.#open(key, kind);
    if (part.kind !== kind) return MALFORMED;
    const whole = withoutHalf(part, text);
    if (whole === '') return NOTHING;
    return this.#output(part, { type: 'delta', delta: { kind, index: part.index, text: whole } });
  }

  /** Adds to a tool call. Id and name go out once, in its first piece. */
  call(key: string, fragment: CallFragment): readonly AdapterEvent[] {
    const part = this.#parts.get(key);
    if (part === undefined) return this.#beginCall(key, fragment);
    if (part.kind !== 'tool_call') return MALFORMED;
    const argumentsFragment = withoutHalf(part, withoutBlank(part, fragment.argumentsFragment));
    if (argumentsFragment === '') return NOTHING;
    return this.#output(part, { type: 'delta', delta: { kind: 'tool_call', index: part.index, argumentsFragment } });
  }

  /** How many calls have begun. */
  get callCount(): number {
    return this.#callCount;
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
    const half = part.kind === 'tool_call' ? this.#endArguments(part) : this.#releaseHalf(part);
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
    const told = [...this.#release(), ...ended];
    return this.#nameless?.values().some(isLost) === true ? [...told, ...MALFORMED] : told;
  }

  #beginCall(key: string, { id, name, argumentsFragment }: CallFragment): readonly AdapterEvent[] {
    const waiting = this.#nameless?.get(key);
    if (name === '') return this.#waitForName(key, waiting, id, argumentsFragment);
    const part = this.#open(key, 'tool_call');
    this.#callCount += 1;
    const text = waiting === undefined ? argumentsFragment : waiting.pieces.join('') + argumentsFragment;
    this.#nameless?.delete(key);
    const delta = {
      kind: 'tool_call',
      index: part.index,
      id:
        id ||
        waiting?.id ||
        `call_${this.#seed()
          .replaceAll(/[^A-Za-z0-9]/g, '')
          .slice(-SEED_LENGTH)}_${this.#callCount}`,
      name,
      argumentsFragment: withoutHalf(part, withoutBlank(part, text)),
    } as const;
    return this.#output(part, { type: 'delta', delta });
  }

  #waitForName(key: string, known: Nameless | undefined, id: string, fragment: string): readonly AdapterEvent[] {
    if (id === '' && fragment === '') return NOTHING;
    const pieces = known?.pieces ?? [];
    if (fragment !== '') pieces.push(fragment);
    const length = (known?.length ?? 0) + fragment.length;
    if (length > MOST_NAMELESS) return MALFORMED;
    this.#nameless ??= new Map();
    this.#nameless.set(key, { id: known?.id || id, pieces, length });
    return NOTHING;
  }

  /** Tells what is left of the arguments; of a call that has none, `{}`. */
  #endArguments(part: Part): readonly AdapterEvent[] {
    if (part.hasArguments) return this.#releaseHalf(part);
    const isNone = NO_ARGUMENTS.has(part.blank.trim());
    const delta = { kind: 'tool_call', index: part.index, argumentsFragment: isNone ? '{}' : part.blank } as const;
    return this.#output(part, { type: 'delta', delta });
  }

  #open(key: string, kind: Part['kind']): Part {
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    const index = this.#parts.size;
    const state = { half: '', blank: '', hasArguments: false, hasOutput: false, isFinished: false };
    const part: Part = { index, kind, ...state };
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

/** Whether a piece of arguments takes the place of what came before it: `null` and `{}` may stand in for those that follow. */
export function replacesArguments(before: string, piece: string): boolean {
  if (before === '' || before.length > MOST_BLANKS) return false;
  const stoodIn = before.trim();
  return stoodIn !== '' && NO_ARGUMENTS.has(stoodIn) && piece.trimStart().startsWith('{');
}

/** Returns what a call's arguments have to say with a further piece, and keeps what may turn out to be none. */
function withoutBlank(part: Part, piece: string): string {
  if (part.hasArguments || piece === '') return piece;
  const text = replacesArguments(part.blank, piece) ? piece : part.blank + piece;
  const said = text.trim();
  if ('null'.startsWith(said) || said === '{}') {
    part.blank = text.length > MOST_BLANKS ? said : text;
    return '';
  }
  part.blank = '';
  part.hasArguments = true;
  return text;
}

function isLost({ pieces }: Nameless): boolean {
  return !NO_ARGUMENTS.has(pieces.join('').trim());
}
