import type { AdapterEvent, EventReader } from '../port/adapter.ts';

/**
 * Cuts the text of an answer at the first place where one of the stop texts is complete; of several that are complete there,
 * the longest is cut off. An answer that is cut ends with `finish` (STOP, raw `stop`) and `end` with `cancel`; of what comes
 * in the same piece behind it, usage still counts. Text that may be the beginning of a stop text is held back until that is
 * decided; a failure does not release it, since nothing shall reach the caller because an answer broke. Without stop texts
 * the reader is returned as it is.
 */
export function withLocalStop(reader: EventReader, stop: readonly string[]): EventReader {
  if (stop.length === 0) return reader;
  const cutter = new StopCutter(stop);
  return (event) => (cutter.isCut ? [] : cutter.take(reader(event)));
}

/** Cuts the events of a whole answer as {@link withLocalStop} does those of a stream. */
export function cutAtStop(events: readonly AdapterEvent[], stop: readonly string[]): readonly AdapterEvent[] {
  return stop.length === 0 ? events : new StopCutter(stop).take(events);
}

/** Follows one answer. Stop texts are looked for within one part of the answer, never across two. */
class StopCutter {
  readonly #stop: readonly string[];
  #held = '';
  #heldIndex = 0;
  /** The parts that have shown something and are not finished. */
  readonly #open = new Set<number>();
  #isCut = false;

  constructor(stop: readonly string[]) {
    this.#stop = stop;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  take(events: readonly AdapterEvent[]): readonly AdapterEvent[] {
    const taken: AdapterEvent[] = [];
    for (const event of events) {
      if (!this.#isCut) taken.push(...this.#takeOne(event));
      else if (event.type === 'usage') taken.push(event);
    }
    if (this.#isCut) taken.push({ type: 'end', cancel: true });
    return taken;
  }

  #takeOne(event: AdapterEvent): readonly AdapterEvent[] {
    if (event.type === 'finish') return [...this.#flush(), event];
    if (event.type !== 'delta') return [event];
    const { delta } = event;
    if (delta.kind === 'text') {
      const flushed = delta.index === this.#heldIndex ? [] : this.#flush();
      return [...flushed, ...this.#takeText(delta.index, delta.text)];
    }
    const flushed = this.#flush();
    if (delta.kind === 'part_finished') this.#open.delete(delta.index);
    else this.#open.add(delta.index);
    return [...flushed, event];
  }

  #takeText(index: number, text: string): readonly AdapterEvent[] {
    const whole = this.#held + text;
    const cutAt = findStop(whole, this.#stop);
    if (cutAt !== undefined) return this.#cut(index, whole.slice(0, cutAt));
    const kept = undecidedLength(whole, this.#stop);
    this.#held = whole.slice(whole.length - kept);
    this.#heldIndex = index;
    return this.#text(index, whole.slice(0, whole.length - kept));
  }

  #cut(index: number, text: string): readonly AdapterEvent[] {
    this.#isCut = true;
    const shown = this.#text(index, text);
    const finished = [...this.#open].map((open): AdapterEvent => ({
      type: 'delta',
      delta: { kind: 'part_finished', index: open },
    }));
    return [...shown, ...finished, { type: 'finish', reason: 'STOP', raw: 'stop' }];
  }

  #flush(): readonly AdapterEvent[] {
    const text = this.#held;
    this.#held = '';
    return this.#text(this.#heldIndex, text);
  }

  #text(index: number, text: string): readonly AdapterEvent[] {
    if (text === '') return [];
    this.#open.add(index);
    return [{ type: 'delta', delta: { kind: 'text', index, text } }];
  }
}

/** Returns where to cut: the beginning of the stop text that is complete first. */
function findStop(text: string, stop: readonly string[]): number | undefined {
  let best: { begin: number; end: number } | undefined;
  for (const word of stop) {
    const begin = text.indexOf(word);
    const end = begin + word.length;
    if (begin >= 0 && (best === undefined || end < best.end || (end === best.end && begin < best.begin))) {
      best = { begin, end };
    }
  }
  return best?.begin;
}

/** Returns how many code units at the end may begin a stop text; half a character is never shown either. */
function undecidedLength(text: string, stop: readonly string[]): number {
  const longest = Math.max(...stop.map((word) => word.length)) - 1;
  let kept = Math.min(longest, text.length);
  while (kept > 0 && !beginsAny(text.slice(text.length - kept), stop)) kept -= 1;
  const lastShown = text.charCodeAt(text.length - kept - 1);
  return lastShown >= 0xd800 && lastShown <= 0xdbff ? kept + 1 : kept;
}

function beginsAny(tail: string, stop: readonly string[]): boolean {
  return stop.some((word) => word.startsWith(tail));
}
