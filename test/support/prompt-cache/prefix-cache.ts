import { hash53 } from '../../../src/core/text-hash.ts';
import type { JsonRecord } from '../../../src/providers/shared/json/value.ts';
import { asRecord, textOf } from '../../../src/providers/shared/json/value.ts';
import { promptPieces } from '../prompt-prefix.ts';

/**
 * How a provider caches prompts: by itself, in units of so many tokens from so many on, apart for each key that it is told, and where it
 * needs one, not without; or what ends with a mark, found again from a mark at most so many blocks behind it.
 */
export type CacheRule =
  | { readonly by: 'units'; readonly least: number; readonly unit: number; readonly needsKey?: boolean }
  | { readonly by: 'marks'; readonly least: number; readonly lookback: number };

/** What a provider has read of one prompt. */
export interface PromptRead {
  readonly tokens: number;
  /** Of these, found in the cache. */
  readonly cached: number;
  /** Of these, written to the cache, where that is counted. */
  readonly written: number;
}

/** A prompt as tokens. */
interface Tokens {
  /** A hash of all up to each token. */
  readonly hashes: readonly number[];
  /** How many tokens there are up to the end of each piece. */
  readonly ends: readonly number[];
  /** Which pieces have a mark, by their place. */
  readonly marked: readonly number[];
  readonly key: string;
}

const TOKEN = /.{1,4}/gsu;

/** A provider's cache of prompts. It forgets nothing: turns follow each other quickly. */
export class PrefixCache {
  readonly #rule: CacheRule;
  readonly #known = new Set<string>();

  constructor(rule: CacheRule) {
    this.#rule = rule;
  }

  /** Reads a request body that came at a path, and keeps what the rule says. */
  read(body: JsonRecord, path: string): PromptRead {
    const tokens = tokensOf(body, path);
    return this.#rule.by === 'units' ? this.#byUnits(tokens, this.#rule) : this.#byMarks(tokens, this.#rule);
  }

  #byUnits({ hashes, key }: Tokens, { least, unit, needsKey }: Extract<CacheRule, { by: 'units' }>): PromptRead {
    let cached = 0;
    if (needsKey === true && key === '') return { tokens: hashes.length, cached, written: 0 };
    for (let end = least; end <= hashes.length; end += unit) {
      const name = `${key} ${hashes[end - 1]}`;
      if (this.#known.has(name)) cached = end;
      this.#known.add(name);
    }
    return { tokens: hashes.length, cached, written: 0 };
  }

  #byMarks({ hashes, ends, marked }: Tokens, { least, lookback }: Extract<CacheRule, { by: 'marks' }>): PromptRead {
    let cached = 0;
    let written = 0;
    for (const place of marked) {
      for (let back = place; back >= Math.max(0, place - lookback); back -= 1) {
        const end = ends[back] ?? 0;
        if (!this.#known.has(`${hashes[end - 1]}`)) continue;
        cached = Math.max(cached, end);
        break;
      }
    }
    for (const place of marked) {
      const end = ends[place] ?? 0;
      if (end < least || end <= cached) continue;
      this.#known.add(`${hashes[end - 1]}`);
      written = end - cached;
    }
    return { tokens: hashes.length, cached, written };
  }
}

function tokensOf(body: JsonRecord, path: string): Tokens {
  const hashes: number[] = [];
  const ends: number[] = [];
  let hash = 0;
  for (const piece of promptPieces(body, path)) {
    for (const [token] of wordsOf(JSON.parse(piece)).matchAll(TOKEN)) {
      hash = hash53(`${hash} ${token}`);
      hashes.push(hash);
    }
    ends.push(hashes.length);
  }
  return { hashes, ends, marked: marksOf(body, path), key: textOf(body['prompt_cache_key']) };
}

/** The words of a piece in the order in which they stand: what a model reads, without the brackets around it. */
function wordsOf(value: unknown): string {
  if (typeof value === 'string') return `${value} `;
  return typeof value === 'object' && value !== null ? Object.values(value).map(wordsOf).join('') : '';
}

/** The places of the pieces that have a mark, in the order of {@link promptPieces}. */
function marksOf(body: JsonRecord, path: string): readonly number[] {
  if (!path.endsWith('/messages')) return [];
  const { messages, system, tools } = body;
  const blocks = listOf(messages).flatMap((message) => listOf(asRecord(message)?.['content']));
  const pieces = [undefined, ...listOf(tools), undefined, ...listOf(system), undefined, ...blocks];
  return pieces.flatMap((piece, place) => (asRecord(piece)?.['cache_control'] === undefined ? [] : [place]));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
