import { endOfJsonString, jsonStringOf } from '../../core/formats/json-string.ts';
import type { AdapterEvent, RepeatedForm, RepeatedReader } from '../../providers/port/adapter.ts';
import { JoinedEvents } from './joined-events.ts';

const LINE_START = 'data: ';
/** Ends an event: whatever stood before it, the next one begins anew behind it. */
const EVENT_END = '\n\n';

/** What a form looks like in the stream. */
interface WireForm {
  readonly form: RepeatedForm;
  readonly before: string;
  readonly behind: string;
  /** From the text of one event to that of the next. */
  readonly between: string;
}

/**
 * Reads the text of a stream of Server-Sent Events, and those of its events that repeat one before them but for its text without framing
 * and parsing, many at once (`docs/adr/0050-repeated-events-are-read-together.md`).
 */
export class RepeatedEvents {
  readonly #reader: RepeatedReader;
  readonly #feed: (text: string) => readonly AdapterEvent[];
  #forms: readonly WireForm[] = [];
  /** Whether an event begins with what comes next. */
  #isBetween = false;

  /** @param feed reads a piece of the text in full */
  constructor(reader: RepeatedReader, feed: (text: string) => readonly AdapterEvent[]) {
    this.#reader = reader;
    this.#feed = feed;
  }

  /** Reads a piece of the text, cut anywhere. */
  take(text: string): readonly AdapterEvent[] {
    const told = new JoinedEvents();
    let at = 0;
    while (at < text.length) {
      if (this.#isBetween) at = this.#skip(text, at, told);
      if (at === text.length) break;
      const found = text.indexOf(EVENT_END, at);
      this.#isBetween = found !== -1;
      const end = found === -1 ? text.length : found + EVENT_END.length;
      told.add(this.#feed(text.slice(at, end)));
      at = end;
    }
    return told.end();
  }

  /** Reads the repeated events from a place on, and returns where they end. */
  #skip(text: string, from: number, told: JoinedEvents): number {
    const forms = this.#wireForms();
    let at = from;
    for (;;) {
      const start = at;
      for (const form of forms) at = this.#skipForm(text, at, form, told);
      if (at === start) return at;
    }
  }

  /** Does the same for those of one form. */
  #skipForm(text: string, from: number, { form, before, behind, between }: WireForm, told: JoinedEvents): number {
    // Whole strings are compared by machine words, and startsWith by characters.
    if (text.slice(from, from + before.length) !== before) return from;
    let at = from;
    let count = 0;
    let inside = '';
    for (let start = from + before.length; ; start = at + before.length) {
      const end = endOfJsonString(text, start);
      if (end === -1) break;
      const isFollowed = text.slice(end, end + between.length) === between;
      if (!isFollowed && text.slice(end, end + behind.length) !== behind) break;
      at = end + behind.length;
      if (end > start) count += 1;
      inside += text.slice(start, end);
      if (!isFollowed) break;
    }
    if (count > 0) told.add(this.#reader.read(form, jsonStringOf(inside), count));
    return at;
  }

  #wireForms(): readonly WireForm[] {
    const forms = this.#reader.forms();
    const isKnown = forms.length === this.#forms.length && forms.every((form, at) => this.#forms[at]?.form === form);
    if (!isKnown) this.#forms = forms.filter(isOneLine).map(wireForm);
    return this.#forms;
  }
}

function isOneLine({ before, behind }: RepeatedForm): boolean {
  return !/[\r\n]/.test(before) && !/[\r\n]/.test(behind);
}

function wireForm(form: RepeatedForm): WireForm {
  const before = LINE_START + form.before;
  const behind = form.behind + EVENT_END;
  return { form, before, behind, between: behind + before };
}
