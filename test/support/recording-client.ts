import type { FailureReason } from '../../src/core/failure.ts';
import type { Runtime } from '../../src/core/ports.ts';
import type { ClientSink, Serving } from '../../src/engine/port/call.ts';

/** What a client was told, and when on the virtual clock. */
export type ClientNote =
  | { readonly atMs: number; readonly what: 'started'; readonly serving: Serving }
  | { readonly atMs: number; readonly what: 'restarted'; readonly serving: Serving; readonly reason: FailureReason }
  | { readonly atMs: number; readonly what: 'output'; readonly text: string }
  | { readonly atMs: number; readonly what: 'ping' };

/** A caller's end of a stream that writes everything down and reads as fast as the test wants. */
export class RecordingClient implements ClientSink<string> {
  readonly #runtime: Runtime;
  readonly notes: ClientNote[] = [];
  #room = Number.POSITIVE_INFINITY;
  #resume: (() => void) | undefined;
  /** Called with every note, after it was written down. */
  onNote: ((note: ClientNote) => void) | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** The text that counts so far. */
  get text(): string {
    return this.notes
      .slice(this.notes.findLastIndex(({ what }) => what === 'restarted') + 1)
      .map((note) => (note.what === 'output' ? note.text : ''))
      .join('');
  }

  /** The times of the pings. */
  get pings(): number[] {
    return this.notes.flatMap((note) => (note.what === 'ping' ? [note.atMs] : []));
  }

  /** Who answered; one for each `started`. */
  get servings(): Serving[] {
    return this.notes.flatMap((note) => (note.what === 'started' ? [note.serving] : []));
  }

  /** Whether the engine waits to be called back. */
  get isAwaited(): boolean {
    return this.#resume !== undefined;
  }

  /** Takes so many more pieces, then asks to stop. */
  takeOnly(pieces: number): void {
    this.#room = pieces;
  }

  /** Makes room for so many more pieces and calls the engine back. */
  read(pieces = Number.POSITIVE_INFINITY): void {
    this.#room = pieces;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  started(serving: Serving): void {
    this.#note({ atMs: this.#runtime.now(), what: 'started', serving });
  }

  restarted(serving: Serving, reason: FailureReason): void {
    this.#note({ atMs: this.#runtime.now(), what: 'restarted', serving, reason });
  }

  output(text: string): boolean {
    this.#room -= 1;
    this.#note({ atMs: this.#runtime.now(), what: 'output', text });
    return this.#room > 0;
  }

  whenWritable(resume: () => void): void {
    this.#resume = resume;
  }

  ping(): void {
    this.#note({ atMs: this.#runtime.now(), what: 'ping' });
  }

  #note(note: ClientNote): void {
    this.notes.push(note);
    this.onNote?.(note);
  }
}
