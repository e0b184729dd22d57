import type { ProviderName } from '../../core/provider.ts';
import type { ListedModel, ModelList } from '../port/adapter.ts';
import { asRecord, countOf, recordsOf, textOf } from '../shared/json/value.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import type { Capability } from '../port/model-facts.ts';
import { openAiModel } from './gpt-models.ts';

/** OpenAI's form, which many servers have. */
const OPENAI_FORM: ModelList = {
  path: '/models',
  read: (json) => recordsOf(asRecord(json)?.['data']).flatMap(openAiEntry),
};

/** What OpenAI itself calls the owner of its models; other servers that speak its API have names of their own. */
const OPENAI_OWNERS = new Set(['openai', 'openai-internal', 'system']);
/** Models that answer no conversation in text, by what their names have in them. */
const OTHER_PURPOSE = /audio|realtime|transcribe|tts|image|search|instruct|embedding|moderation/;

function openAiEntry(entry: JsonRecord): readonly ListedModel[] {
  const id = textOf(entry['id']);
  const isOpenAis = OPENAI_OWNERS.has(textOf(entry['owned_by']));
  return isOpenAis && (openAiModel(id) === undefined || OTHER_PURPOSE.test(id)) ? [] : [{ id }];
}

/** Anthropic's list says what its models can do. Source: `ModelInfo` of its SDK. */
const ANTHROPIC_FORM: ModelList = {
  path: '/v1/models?limit=1000',
  read: (json) => recordsOf(asRecord(json)?.['data']).flatMap(anthropicEntry),
};

function anthropicEntry(entry: JsonRecord): readonly ListedModel[] {
  if (entry['lifecycle'] === 'retired') return [];
  return [
    {
      id: textOf(entry['id']),
      contextWindow: countOf(entry['max_input_tokens']),
      maxOutputTokens: countOf(entry['max_tokens']),
      capabilities: anthropicCapabilities(asRecord(entry['capabilities'])),
    },
  ];
}

function anthropicCapabilities(said: JsonRecord | undefined): ReadonlySet<Capability> | undefined {
  if (said === undefined) return undefined;
  const supports = (name: string): boolean => asRecord(said[name])?.['supported'] === true;
  // All of them have tools and cache breakpoints, so that the list does not speak of it.
  const capabilities = new Set<Capability>(['tools', 'parallel_tools', 'cache_breakpoints']);
  if (supports('image_input')) capabilities.add('image_input');
  if (supports('pdf_input')) capabilities.add('file_input');
  if (supports('structured_outputs')) capabilities.add('json_schema');
  if (supports('thinking')) capabilities.add('reasoning');
  return capabilities;
}

/** Ollama lists what is installed, and tells of each model by itself. Source: https://docs.ollama.com/api/tags and /api/show */
const OLLAMA_FORM: ModelList = {
  path: '/api/tags',
  read: (json) => recordsOf(asRecord(json)?.['models']).map((entry) => ({ id: textOf(entry['name']) })),
  details: {
    path: '/api/show',
    body: (id) => ({ model: id }),
    read: (id, json) => ollamaDetails(id, asRecord(json) ?? {}),
  },
};

function ollamaDetails(id: string, shown: JsonRecord): ListedModel | undefined {
  const said = shown['capabilities'];
  if (!Array.isArray(said)) return { id };
  // Such as models that make embeddings.
  if (!said.includes('completion')) return undefined;
  const info = asRecord(shown['model_info']) ?? {};
  const [, contextWindow] = Object.entries(info).find(([name]) => name.endsWith('.context_length')) ?? [];
  const capabilities = new Set<Capability>(['json_object', 'json_schema', 'sampling']);
  if (said.includes('tools')) capabilities.add('tools');
  if (said.includes('vision')) capabilities.add('image_input');
  if (said.includes('thinking')) capabilities.add('reasoning');
  return { id, contextWindow: countOf(contextWindow), capabilities };
}

/** Most providers have OpenAI's form; these do not. */
const OWN: Partial<Record<ProviderName, ModelList>> = { anthropic: ANTHROPIC_FORM, ollama: OLLAMA_FORM };

/** Azure OpenAI's list has models that could be deployed, not deployments, and the mock's are made up. */
const UNREAD: ReadonlySet<ProviderName> = new Set<ProviderName>(['azure-openai', 'mock']);

/** Returns how the models of a provider are listed, for adapters that do not say it themselves; undefined where they are not. */
export function modelListOf(provider: ProviderName): ModelList | undefined {
  return UNREAD.has(provider) ? undefined : (OWN[provider] ?? OPENAI_FORM);
}
