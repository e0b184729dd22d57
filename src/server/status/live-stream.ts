import type { Runtime, TimerHandle } from '../../core/ports.ts';
import { resetResponse, type WebResponse, writePiece } from '../http/exchange.ts';

/** How often it is looked whether something has changed, in milliseconds. Each look is told, so that watchers know that they are up to date. */
const LOOK_MS = 1_000;

/** After how many milliseconds a browser comes again whose stream has ended. */
const RETRY_MS = 1_000;

/** Most that watch at a time. */
const MOST_WATCHERS = 50;

interface Watcher {
  readonly response: WebResponse;
  /** Whether it has not read what was written to it last. */
  isBehind: boolean;
  /** Whether it has missed something. */
  needsAll: boolean;
}

/**
 * Tells watchers of sections as server-sent events: all of them first, then those that have changed. Each event is a JSON object of
 * `nowMs`, `set` (sections by key) and `gone` (keys). Sections are reckoned once for all watchers, and only while there are some.
 */
export class LiveStream {
  readonly #sections: () => Iterable<readonly [key: string, section: unknown]>;
  readonly #runtime: Pick<Runtime, 'wall' | 'setTimer' | 'clearTimer'>;
  readonly #watchers = new Set<Watcher>();
  #texts: ReadonlyMap<string, string> = new Map();
  #nextLook: TimerHandle | undefined;

  constructor(
    sections: () => Iterable<readonly [key: string, section: unknown]>,
    runtime: Pick<Runtime, 'wall' | 'setTimer' | 'clearTimer'>,
  ) {
    this.#sections = sections;
    this.#runtime = runtime;
  }

  /** Streams to a watcher until it leaves, or is the oldest of too many: a browser comes again, what was forgotten does not. */
  add(response: WebResponse): void {
    const [oldest] = this.#watchers;
    if (oldest !== undefined && this.#watchers.size >= MOST_WATCHERS) {
      this.#watchers.delete(oldest);
      if (oldest.isBehind) resetResponse(oldest.response);
      else oldest.response.end();
    }
    const watcher: Watcher = { response, isBehind: false, needsAll: true };
    response.once('close', () => this.#remove(watcher));
    response.on('drain', () => {
      watcher.isBehind = false;
    });
    response.setHeader('content-type', 'text/event-stream');
    response.setHeader('cache-control', 'no-store');
    // nginx passes events on as they come only where it is told so.
    response.setHeader('x-accel-buffering', 'no');
    writePiece(response, `retry: ${RETRY_MS}\n\n`);
    this.#watchers.add(watcher);
    this.#look();
  }

  #remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0 || this.#nextLook === undefined) return;
    this.#runtime.clearTimer(this.#nextLook);
    this.#nextLook = undefined;
    this.#texts = new Map();
  }

  #look(): void {
    if (this.#nextLook !== undefined) this.#runtime.clearTimer(this.#nextLook);
    this.#nextLook = this.#runtime.setTimer(LOOK_MS, () => this.#look());
    const before = this.#texts;
    const now = new Map<string, string>();
    for (const [key, section] of this.#sections()) now.set(key, JSON.stringify(section));
    this.#texts = now;
    const nowMs = Math.round(this.#runtime.wall());
    const changed = [...now].filter(([key, text]) => before.get(key) !== text);
    const gone = [...before.keys()].filter((key) => !now.has(key));
    let all: string | undefined;
    const change = eventOf(nowMs, changed, gone);
    for (const watcher of this.#watchers) {
      if (watcher.isBehind) {
        watcher.needsAll = true;
        continue;
      }
      if (watcher.needsAll) all ??= eventOf(nowMs, now, []);
      const event = watcher.needsAll && all !== undefined ? all : change;
      watcher.needsAll = false;
      watcher.isBehind = !writePiece(watcher.response, event);
    }
  }
}

function eventOf(nowMs: number, sections: Iterable<readonly [string, string]>, gone: readonly string[]): string {
  const set = [...sections].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',');
  return `data: {"nowMs":${nowMs},"set":{${set}},"gone":${JSON.stringify(gone)}}\n\n`;
}
