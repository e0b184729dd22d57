import type { AdapterWarning } from '../../port/adapter.ts';
import type { Effort } from '../../port/effort.ts';
import { effortAdjusted, nearestEffort } from '../../shared/asked-effort.ts';
import type { GenerationSettings } from '../../shared/asked-tools.ts';
import { endUserAs, sentCacheKey, withoutCacheKey } from '../../shared/option-rules.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import type { OptionOutcome } from '../../shared/option-table.ts';
import type { OpenAiModel } from '../../models/gpt-models.ts';

/** The effort that a model is told, and what could not be done as asked. */
export interface FittedEffort {
  /** Absent: none is sent. */
  readonly value: Effort | undefined;
  readonly warnings: readonly AdapterWarning[];
}

/** What the options of OpenAI's two APIs depend on. */
export interface OpenAiSettings extends GenerationSettings {
  /** What is known of the model; unknown ones get everything. */
  readonly known: OpenAiModel | undefined;
  readonly effort: FittedEffort;
}

/** Fits an effort to those that a model takes; a model that does not reason gets none. */
export function fitEffort(
  asked: Effort | undefined,
  model: OpenAiModel | undefined,
  taken: readonly Effort[],
): FittedEffort {
  if (model === undefined || asked === undefined) return { value: asked, warnings: [] };
  if (!model.reasons) return { value: undefined, warnings: [] };
  const value = nearestEffort(asked, taken);
  return { value, warnings: value === asked ? [] : [effortAdjusted(value)] };
}

/** The rules for what both APIs of OpenAI treat alike: reasoning models sample only at effort `none`. */
export const OPENAI_RULES = {
  temperature: whereItSamples('temperature'),
  topP: whereItSamples('top_p'),
  endUser: openAiUser('safety_identifier'),
  promptCacheKey: cacheKeyOf,
} as const;

/** Makes the rule for the end user's id: `user` is deprecated at OpenAI, and all that older and other servers know. */
export function openAiUser(name: 'safety_identifier' | 'user'): ReturnType<typeof endUserAs> {
  return endUserAs(name, (id) => id.length <= 128);
}

/** Makes the rule for the effort, which a model that does not reason does not take; `write` gives it its place in the body. */
export function effortAs(write: (effort: Effort) => JsonRecord) {
  return (asked: Effort | undefined, { known, effort: { value, warnings } }: OpenAiSettings): OptionOutcome =>
    known?.reasons === false && asked !== 'none'
      ? 'dropped'
      : { fields: value === undefined ? {} : write(value), warnings };
}

function whereItSamples(sentAs: string) {
  return (_asked: number | undefined, { known, effort }: OpenAiSettings): OptionOutcome =>
    known?.reasons !== true || effort.value === 'none' ? { sentAs } : 'dropped';
}

/** Other servers that speak as OpenAI does may refuse the field, but those that have its models hand it on. */
function cacheKeyOf(key: string | undefined, { known, ownHost }: OpenAiSettings): OptionOutcome {
  return ownHost || known !== undefined ? sentCacheKey(key) : withoutCacheKey(key);
}
