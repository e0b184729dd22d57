import type { ListedModel, ModelList } from '../port/adapter.ts';
import type { Capability } from '../port/model-facts.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { asRecord, countOf, recordsOf, textOf } from '../shared/json/value.ts';

/** Ollama lists what is installed, and tells of each model by itself. Source: https://docs.ollama.com/api/tags and /api/show */
export const OLLAMA_LIST: ModelList = {
  path: '/api/tags',
  read: (json) => recordsOf(asRecord(json)?.models).map((entry) => ({ id: textOf(entry.name) })),
  details: {
    path: '/api/show',
    body: (id) => ({ model: id }),
    read: (id, json) => ollamaDetails(id, asRecord(json) ?? {}),
  },
};

function ollamaDetails(id: string, shown: JsonRecord): ListedModel | undefined {
  const said = shown.capabilities;
  if (!Array.isArray(said)) return { id };
  // Such as models that make embeddings.
  if (!said.includes('completion')) return undefined;
  const info = asRecord(shown.model_info) ?? {};
  const [, contextWindow] = Object.entries(info).find(([name]) => name.endsWith('.context_length')) ?? [];
  const capabilities = new Set<Capability>(['json_object', 'json_schema', 'sampling']);
  if (said.includes('tools')) capabilities.add('tools');
  if (said.includes('vision')) capabilities.add('image_input');
  if (said.includes('thinking')) capabilities.add('reasoning');
  return { id, contextWindow: countOf(contextWindow), capabilities };
}
