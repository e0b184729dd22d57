import type { Quirk } from '../../port/quirk.ts';
import { openAiModel } from '../../models/gpt-models.ts';
import type { ToolIdForm } from '../tool-ids.ts';
import { hashedIds } from '../tool-ids.ts';

/** Nine letters and digits, no more and no less: Mistral's models, wherever they run, since their templates insist on it. */
export const NINE_LETTERS = hashedIds(/^[A-Za-z0-9]{9}$/);

/** OpenAI's own bound on both of its APIs. Source: its OpenAPI document (`call_id`). */
export const UP_TO_64 = hashedIds(/^.{1,64}$/s, 'call_');

/** What Anthropic and Bedrock take. */
const WORDS_UP_TO_64 = hashedIds(/^[\w-]{1,64}$/, 'call_');

/** What older endpoints of OpenAI's kind take. */
const UP_TO_40 = hashedIds(/^.{1,40}$/s, 'call_');

/** Names of models whose templates want ids of nine letters and digits. */
const OF_MISTRAL = /(^|[/._-])(mistral|mixtral|magistral|ministral|codestral|devstral|pixtral|voxtral)/i;

const OF_CLAUDE = /(^|[/._-])claude/i;

/**
 * Returns the form of ids that a model is known to want by its name, wherever it runs: a history that other providers have written
 * must not cost a refusal first. Undefined for all others, whose servers take any, and of which some have state in long ids.
 */
export function familyToolIds(model: string): ToolIdForm | undefined {
  if (openAiModel(model) !== undefined) return UP_TO_64;
  if (OF_MISTRAL.test(model)) return NINE_LETTERS;
  return OF_CLAUDE.test(model) ? WORDS_UP_TO_64 : undefined;
}

/** The narrowest form first. */
const LEARNT: readonly (readonly [quirk: Quirk, form: ToolIdForm])[] = [
  ['ids of nine', NINE_LETTERS],
  ['ids of words', WORDS_UP_TO_64],
  ['ids up to 40', UP_TO_40],
  ['ids up to 64', UP_TO_64],
];

/** Returns the form of ids that a server wants: what it has said itself, or else `usual`. */
export function toolIdForm(usual: ToolIdForm | undefined, quirks: ReadonlySet<Quirk>): ToolIdForm | undefined {
  if (quirks.size === 0) return usual;
  return LEARNT.find(([quirk]) => quirks.has(quirk))?.[1] ?? usual;
}
