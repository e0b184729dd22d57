import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { setTimeout as passed } from 'node:timers/promises';

import { listenOnLoopback } from '../support/listening.ts';
import { ROLE_EVENT, STREAM_END, textEvent } from '../support/openai-bodies.ts';

/** What the provider does, by the model that it is asked for. */
export type ToldModel = (typeof TOLD_MODELS)[number];

/** `quick` answers at once; `words` with a word every 50 ms, each saying when it was written; `slow` for 3 s; `silent` never; `late` after
 * {@link ToldUpstream.lateMs}; `large` with 10 MiB; `together` when 200 have asked; `failing` with 500; `cut` breaks off after words. */
export const TOLD_MODELS = ['quick', 'words', 'slow', 'silent', 'late', 'large', 'together', 'failing', 'cut'] as const;

/** A call that the provider has got. */
export interface ToldCall {
  readonly model: ToldModel;
  /** Size of its body. */
  readonly bytes: number;
  /** Resolves with when its caller hung up, by `performance.now()`. */
  readonly left: Promise<number>;
}

/** A provider that does what the model's name says. */
export interface ToldUpstream {
  readonly origin: string;
  /** How long `late` is silent. */
  lateMs: number;
  /** Calls of a model so far. */
  callsOf(model: ToldModel): readonly ToldCall[];
  /** Resolves with the n-th call of a model, from 0. */
  callAt(model: ToldModel, index: number): Promise<ToldCall>;
  close(): Promise<void>;
}

/** How many calls `together` waits for. */
export const TOGETHER = 200;
export const LARGE_BYTES = 10 * 1_024 * 1_024;
export const WORD_COUNT = 20;
const GAP_MS = 50;
const SLOW_PIECES = 10;
const SLOW_MS = 3_000;
/** How many words a model has that has not one. */
const WORDS: Partial<Record<ToldModel, number>> = { words: WORD_COUNT, slow: SLOW_PIECES, cut: 3 };
const PIECE = 'x'.repeat(65_536);

/** Starts one. */
export async function startToldUpstream(): Promise<ToldUpstream> {
  const calls: ToldCall[] = [];
  const gathered: (() => void)[] = [];
  const waiting = new Set<() => void>();
  const told = { lateMs: 0 };
  const callsOf = (model: ToldModel): readonly ToldCall[] => calls.filter((call) => call.model === model);
  const server = createServer((request, response) => {
    let body = '';
    response.on('error', () => undefined);
    request.on('error', () => undefined);
    const left = new Promise<number>((resolve) => {
      response.once('close', () => {
        if (!response.writableFinished) resolve(performance.now());
      });
    });
    request.setEncoding('latin1').on('data', (text: string) => (body += text));
    request.once('end', () => {
      const name = /"model":"([a-z]+)"/.exec(body)?.[1];
      const model = TOLD_MODELS.find((each) => each === name) ?? 'failing';
      calls.push({ model, bytes: body.length, left });
      for (const look of waiting) look();
      void answer(response, model);
    });
  });
  const answer = async (response: ServerResponse, model: ToldModel): Promise<void> => {
    if (model === 'failing') {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"Words.","type":"server_error","code":null}}');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(ROLE_EVENT);
    if (model === 'silent') return;
    if (model === 'late') await passed(told.lateMs);
    if (model === 'together') await new Promise<void>((resolve) => gather(resolve));
    if (model === 'large')
      for (let sent = 0; sent < LARGE_BYTES; sent += PIECE.length) response.write(textEvent(PIECE));
    const gapMs = model === 'slow' ? SLOW_MS / SLOW_PIECES : GAP_MS;
    const words = WORDS[model] ?? 1;
    for (let word = 0; word < words; word += 1) {
      if (words > 1) await passed(gapMs);
      response.write(textEvent(`${performance.now()} `));
    }
    if (model === 'cut') response.destroy();
    else response.end(STREAM_END);
  };
  const gather = (resolve: () => void): void => {
    gathered.push(resolve);
    if (gathered.length >= TOGETHER) for (const go of gathered.splice(0)) go();
  };
  const { origin, close } = await listenOnLoopback(server);
  return {
    origin,
    get lateMs() {
      return told.lateMs;
    },
    set lateMs(ms) {
      told.lateMs = ms;
    },
    callsOf,
    callAt: (model, index) =>
      new Promise((resolve) => {
        const look = (): void => {
          const call = callsOf(model)[index];
          if (call === undefined) return;
          waiting.delete(look);
          resolve(call);
        };
        waiting.add(look);
        look();
      }),
    close,
  };
}
