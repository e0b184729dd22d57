import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

/** Spans that wait for their export, as many as the processor keeps: whoever finds no room need not make any. */
export class SpanQueue {
  readonly #processor: Pick<SpanProcessor, 'onEnd'>;
  readonly #most: number;
  readonly #lost: (spans: number) => void;
  #waiting = 0;

  /**
   * @param most of spans that the processor keeps
   * @param lost told how many found no room
   */
  constructor(processor: Pick<SpanProcessor, 'onEnd'>, most: number, lost: (spans: number) => void) {
    this.#processor = processor;
    this.#most = most;
    this.#lost = lost;
  }

  /** Whether there is room for so many spans; counts them as lost where there is none. */
  hasRoom(spans: number): boolean {
    const hasRoom = this.#waiting + spans <= this.#most;
    if (!hasRoom) this.#lost(spans);
    return hasRoom;
  }

  /** Adds the spans of one call; those beyond its room are lost. */
  add(spans: readonly ReadableSpan[]): void {
    for (const span of spans) {
      if (!this.hasRoom(1)) continue;
      this.#waiting += 1;
      this.#processor.onEnd(span);
    }
  }

  /** Notes that the processor has given so many to its exporter. */
  taken(spans: number): void {
    this.#waiting -= spans;
  }
}
