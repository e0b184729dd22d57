import type { Effort } from '../port/effort.ts';

/** What is known of a model of OpenAI, as far as requests depend on it. */
export interface OpenAiModel {
  /** Whether it reasons: takes an effort, instructions as `developer`, no penalties, and samples only at effort `none`. */
  readonly reasons: boolean;
  /** The efforts it takes on Chat Completions, in rising order; empty where it does not reason. */
  readonly chatEfforts: readonly Effort[];
  /** The efforts it takes on Responses. */
  readonly responsesEfforts: readonly Effort[];
}

/**
 * Returns what is known of a model by its id, also of fine-tuned ones (`ft:…`); undefined for ids that are not OpenAI's: Azure
 * deployments with names of their own, and models behind other servers, which are sent whatever the request has.
 *
 * Sources: https://developers.openai.com/api/docs/guides/reasoning and the reasoning page of Azure OpenAI.
 */
export function openAiModel(id: string): OpenAiModel | undefined {
  const known = KNOWN.get(id);
  if (known !== undefined || KNOWN.has(id)) return known;
  // Only callers that invent models get there.
  if (KNOWN.size === MAX_KNOWN) KNOWN.clear();
  const model = modelOf(id);
  KNOWN.set(id, model);
  return model;
}

/** Every request asks for its model several times. */
const KNOWN = new Map<string, OpenAiModel | undefined>();
const MAX_KNOWN = 256;

function modelOf(id: string): OpenAiModel | undefined {
  const name = id.startsWith('ft:') ? (id.split(':')[1] ?? '') : id;
  if (/^(gpt-4|gpt-3\.5|chatgpt-4o|gpt-5-chat\b)/.test(name)) return PLAIN;
  if (/^o\d(-|$)/.test(name)) return reasoning(['low', 'medium', 'high']);
  const version = /^gpt-(\d+)(?:\.(\d+))?(?:-(.*))?$/.exec(name);
  if (version === null || Number(version[1]) < 5) return undefined;
  return generation(Number(version[1]), Number(version[2] ?? 0), version[3] ?? '');
}

const PLAIN: OpenAiModel = { reasons: false, chatEfforts: [], responsesEfforts: [] };

function reasoning(chatEfforts: readonly Effort[], responsesEfforts = chatEfforts): OpenAiModel {
  return { reasons: true, chatEfforts, responsesEfforts };
}

function generation(major: number, minor: number, variant: string): OpenAiModel {
  if (major === 5 && minor === 0) {
    if (variant.startsWith('pro')) return reasoning(['high']);
    return reasoning(variant.startsWith('codex') ? ['low', 'medium', 'high'] : ['minimal', 'low', 'medium', 'high']);
  }
  if (major === 5 && minor === 1) {
    return reasoning(variant.startsWith('codex') ? ['low', 'medium', 'high'] : ['none', 'low', 'medium', 'high']);
  }
  // These two always reason, and on Responses as much as possible.
  if (
    (major === 6 && minor === 0 && variant.startsWith('astra')) ||
    (major === 6 && minor === 1 && variant === 'sol')
  ) {
    return reasoning(['low', 'medium', 'high', 'xhigh'], ['low', 'medium', 'high', 'xhigh', 'max']);
  }
  return reasoning(['none', 'low', 'medium', 'high', 'xhigh']);
}
