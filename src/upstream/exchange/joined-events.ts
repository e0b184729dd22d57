import type { AdapterEvent } from '../../providers/port/adapter.ts';

/**
 * Joins the pieces of one text that have come together, so that they go through the engine as one. Everything else stays as it is and
 * where it is.
 */
export class JoinedEvents {
  readonly #events: AdapterEvent[] = [];
  #kind: 'text' | 'reasoning' | undefined;
  #index = 0;
  #text = '';

  /** Adds what has come next. */
  add(events: readonly AdapterEvent[]): void {
    for (const event of events) {
      if (event.type !== 'delta' || (event.delta.kind !== 'text' && event.delta.kind !== 'reasoning')) {
        this.#flush();
        this.#events.push(event);
        continue;
      }
      const { kind, index, text } = event.delta;
      if (kind === this.#kind && index === this.#index) {
        this.#text += text;
        continue;
      }
      this.#flush();
      this.#kind = kind;
      this.#index = index;
      this.#text = text;
    }
  }

  /** Returns all of it. */
  end(): readonly AdapterEvent[] {
    this.#flush();
    return this.#events;
  }

  #flush(): void {
    const kind = this.#kind;
    if (kind === undefined) return;
    this.#kind = undefined;
    this.#events.push({ type: 'delta', delta: { kind, index: this.#index, text: this.#text } });
  }
}
