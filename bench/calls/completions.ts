import { DELTAS } from './asked.ts';

const EVENT_END = '\n\n';
const LAST_EVENT = 'data: [DONE]';

/** Counts the events of a stream of Chat Completions, without keeping them. */
export class EventCounter {
  #lastByte = 0;
  #tail = '';
  /** Events that were complete, with the last one. */
  messages = 0;

  /** Takes the next piece. */
  push(piece: Buffer): void {
    if (this.#lastByte === 0x0a && piece[0] === 0x0a) this.messages += 1;
    for (let at = piece.indexOf(EVENT_END); at !== -1; at = piece.indexOf(EVENT_END, at + EVENT_END.length))
      this.messages += 1;
    this.#lastByte = piece.at(-1) ?? 0;
    this.#tail = (this.#tail + piece.toString('latin1', Math.max(0, piece.length - 32))).slice(-32);
  }

  /** How the stream has ended; undefined where it is cut off, or lacks deltas. */
  get end(): string | undefined {
    return this.messages > DELTAS && this.#tail.includes(LAST_EVENT) ? LAST_EVENT : undefined;
  }
}

/** Reads the text of an answer, whole or a stream. Throws where it is not of the form. */
export function textOfCompletions(body: string, isStream: boolean): string {
  if (!isStream) return textOf(body);
  const events = body.split(EVENT_END).filter((event) => event.startsWith('data: ') && event !== LAST_EVENT);
  return events.map((event) => textOf(event.slice('data: '.length))).join('');
}

interface Completion {
  readonly choices?: readonly { readonly message?: Said; readonly delta?: Said }[];
}

interface Said {
  readonly content?: string | null;
}

function textOf(json: string): string {
  const [choice] = parseCompletion(json).choices ?? [];
  return choice?.message?.content ?? choice?.delta?.content ?? '';
}

function parseCompletion(json: string): Completion {
  return JSON.parse(json) as Completion;
}
