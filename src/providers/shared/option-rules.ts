import { parameterDropped } from './warnings.ts';
import type { OptionOutcome } from './option-table.ts';

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
