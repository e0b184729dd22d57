import { snapshotBase } from '../core/model-id.ts';
import { isCompatible } from '../core/provider.ts';
import type { TokenCounts } from './token-counts.ts';

/** Our providers under the names of `@pydantic/genai-prices`; compatible ones have the same. */
const LIBRARY_PROVIDERS: ReadonlyMap<string, string> = new Map([
  ['openai', 'openai'],
  ['azure-openai', 'azure'],
  ['anthropic', 'anthropic'],
  ['deepseek', 'deepseek'],
]);

/** Above it a floating-point USD amount has no exact nano-USD. */
const MOST_USD = 9_000_000;

type Calculate = (usage: Readonly<Record<string, number>>, model: string, options: object) => unknown;

/**
 * Prices models that the price table does not know, by `@pydantic/genai-prices`. Its data is large and rarely needed: whoever
 * sees that it will be has it loaded in the background, the first miss at the latest, and until it is there the price stays unknown. A
 * failed load is not repeated.
 */
export class PriceFallback {
  readonly #load: () => Promise<unknown>;
  #loading: Promise<void> | undefined;
  /** Absent until the library is there, and for ever where it is unusable. */
  #calculate: Calculate | undefined;

  /** `load` imports the library: `() => import('@pydantic/genai-prices')`. */
  constructor(load: () => Promise<unknown>) {
    this.#load = load;
  }

  /**
   * Returns nano-USD, or undefined where the library is not there yet or does not know exactly this id. It matches by prefix
   * (`claude-sonnet-5-5` as `claude-sonnet-5`), so the id of what it found must be the id that was asked for, a date at its
   * end set aside.
   */
  priceOf(provider: string, model: string, counts: TokenCounts): bigint | undefined {
    const providerId = idInLibrary(provider);
    if (providerId === undefined) {
      return undefined;
    }
    const calculate = this.#calculate;
    if (calculate === undefined) {
      void this.ready();
      return undefined;
    }
    const usage = {
      input_tokens: counts.input,
      cache_read_tokens: counts.cached,
      cache_write_tokens: counts.written + counts.writtenLong,
      cache_write_1h_tokens: counts.writtenLong,
      output_tokens: counts.output,
    };
    try {
      return (
        nanoUsdOf(calculate(usage, model, { providerId }), model) ??
        priceOfBase(calculate, usage, providerId, snapshotBase(provider, model))
      );
    } catch {
      return undefined;
    }
  }

  /** Whether the library may have prices of a provider. */
  mayKnow(provider: string): boolean {
    return idInLibrary(provider) !== undefined;
  }

  /** Loads the library, once. Resolves when it is usable or known to be unusable. Never rejects. */
  ready(): Promise<void> {
    this.#loading ??= this.#loadOnce();
    return this.#loading;
  }

  async #loadOnce(): Promise<void> {
    try {
      this.#calculate = calculateOf(await this.#load());
    } catch {
      this.#calculate = undefined;
    }
  }
}

function idInLibrary(provider: string): string | undefined {
  return isCompatible(provider) ? provider : LIBRARY_PROVIDERS.get(provider);
}

function priceOfBase(
  calculate: Calculate,
  usage: Readonly<Record<string, number>>,
  providerId: string,
  base: string | undefined,
): bigint | undefined {
  return base === undefined ? undefined : nanoUsdOf(calculate(usage, base, { providerId }), base);
}

/** The parse boundary of the library itself. */
function calculateOf(library: unknown): Calculate | undefined {
  const calculate = fieldOf(library, 'calcPrice');
  return typeof calculate === 'function' ? (calculate as Calculate) : undefined;
}

function nanoUsdOf(result: unknown, model: string): bigint | undefined {
  const usd = fieldOf(result, 'total_price');
  if (fieldOf(fieldOf(result, 'model'), 'id') !== model || typeof usd !== 'number' || !(usd >= 0 && usd < MOST_USD)) {
    return undefined;
  }
  return BigInt(Math.round(usd * 1e9));
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
