import { hash53 } from '../../core/text-hash.ts';
import type { OptionOutcome } from './option-table.ts';
import { parameterDropped } from './warnings.ts';

const TOO_LONG = parameterDropped('options.end_user', 'The provider takes no id of this length.');

/** Makes the rule that sends the seed, as a field or within an object, where JSON can carry it without loss. */
export function seedAs(sentAs: string, within?: string): (seed: bigint | undefined) => OptionOutcome {
  return (asked) => {
    const value = Number(asked);
    if (!Number.isSafeInteger(value)) return 'dropped';
    return within === undefined ? { sentAs, value } : { sentAs, within, value };
  };
}

/** Makes the rule that sends the id of the end user, or leaves it out where it is too long. */
export function endUserAs(
  sentAs: string,
  fits: (id: string) => boolean,
  within?: string,
): (id: string | undefined) => OptionOutcome {
  return (id) => {
    if (id !== undefined && !fits(id)) return { warnings: [TOO_LONG] };
    return within === undefined ? { sentAs } : { sentAs, within };
  };
}

/** Makes the rule that sends as many stop texts as the provider takes; for the others the gateway looks. */
export function stopAs(sentAs: string, most: number): (stop: readonly string[] | undefined) => OptionOutcome {
  return (stop = []) => ({
    fields: stop.length === 0 || most === 0 ? {} : { [sentAs]: stop.slice(0, most) },
    localStop: stop.slice(most),
  });
}

/**
 * Longest key of a cache, in characters. Source: OpenAI's OpenAPI document (`prompt_cache_key`); Azure OpenAI and Mistral are not
 * known to take more.
 */
const MAX_CACHE_KEY_LENGTH = 64;

const NO_CACHE_KEY = parameterDropped(
  'options.prompt_cache_key',
  'The server takes no key of its cache; what it caches it finds by itself.',
);

/** The rule for the key of the cache where none is taken. */
export function withoutCacheKey(key: string | undefined): OptionOutcome {
  return key === undefined ? {} : { warnings: [NO_CACHE_KEY] };
}

/** The rule that sends the key of the cache. One that is too long is sent as a hash of it, which serves as well. */
export function sentCacheKey(key: string | undefined): OptionOutcome {
  if (key === undefined) return {};
  return { sentAs: 'prompt_cache_key', value: key.length <= MAX_CACHE_KEY_LENGTH ? key : hashedKey(key) };
}

function hashedKey(key: string): string {
  return [key, `again ${key}`].map((text) => hash53(text).toString(36)).join('-');
}
