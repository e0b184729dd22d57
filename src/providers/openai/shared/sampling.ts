import type { AdapterWarning } from '../../port/adapter.ts';
import type { Options } from '../../shared/chat-options.ts';
import { dropSet, fitEndUser, setOnly } from '../../shared/chat-options.ts';
import type { Effort } from '../../port/effort.ts';
import { askedEffort, effortAdjusted, nearestEffort } from '../../shared/asked-effort.ts';
import type { OpenAiModel } from '../../models/gpt-models.ts';

/** The names of the end user's id: `user` is deprecated at OpenAI, and all that older and other servers know. */
export type EndUserField = 'safety_identifier' | 'user';

/** The options that OpenAI's two APIs treat alike; `effort` is what the API at hand gets, under its own name. */
export interface SharedOptions {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly effort: Effort | undefined;
  readonly warnings: readonly AdapterWarning[];
}

const NO_OPTIONS: SharedOptions = { fields: {}, effort: undefined, warnings: [] };

/**
 * Translates sampling, effort and end user for OpenAI's models. Reasoning models take temperature and top_p only at effort
 * `none`; the effort is fitted to `taken`; a model that does not reason gets none. Unknown models get everything.
 */
export function sharedOptions(
  options: Options | undefined,
  model: OpenAiModel | undefined,
  taken: readonly Effort[],
  endUserField: EndUserField,
): SharedOptions {
  if (options === undefined) return NO_OPTIONS;
  const asked = askedEffort(options);
  const fitted = asked === undefined || model?.reasons !== true ? undefined : nearestEffort(asked, taken);
  const effort = model === undefined ? asked : fitted;
  const sampling = { temperature: options?.temperature, top_p: options?.topP };
  const samples = model?.reasons !== true || effort === 'none';
  const endUser = fitEndUser(endUserField, options?.endUser, (id) => id.length <= 128);
  return {
    fields: { ...(samples ? setOnly(sampling) : {}), ...endUser.fields },
    effort,
    warnings: [
      ...(samples ? [] : dropSet(sampling)),
      ...(fitted === undefined || fitted === asked ? [] : [effortAdjusted(fitted)]),
      ...(model?.reasons === false && asked !== 'none' ? dropSet({ reasoning_effort: asked }) : []),
      ...endUser.warnings,
    ],
  };
}
