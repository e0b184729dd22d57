import type { ListedModel, ModelList } from '../port/adapter.ts';
import type { Capability } from '../port/model-facts.ts';
import { listedLimits } from '../models/listed-limits.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { asRecord, countOf, recordsOf, textOf } from '../shared/json/value.ts';

/** Anthropic's list of models, which says what they can do. Source: `ModelInfo` of its SDK. */
export const ANTHROPIC_LIST: ModelList = {
  path: '/v1/models?limit=1000',
  read: (json) => recordsOf(asRecord(json)?.data).flatMap(anthropicEntry),
};

function anthropicEntry(entry: JsonRecord): readonly ListedModel[] {
  if (entry.lifecycle === 'retired') return [];
  return [
    {
      id: textOf(entry.id),
      maxOutputTokens: countOf(entry.max_tokens),
      ...listedLimits(entry),
      capabilities: anthropicCapabilities(asRecord(entry.capabilities)),
    },
  ];
}

function anthropicCapabilities(said: JsonRecord | undefined): ReadonlySet<Capability> | undefined {
  if (said === undefined) return undefined;
  const supports = (name: string): boolean => asRecord(said[name])?.supported === true;
  // All of them have tools and cache breakpoints, so that the list does not speak of it.
  const capabilities = new Set<Capability>(['tools', 'parallel_tools', 'cache_breakpoints']);
  if (supports('image_input')) capabilities.add('image_input');
  if (supports('pdf_input')) capabilities.add('file_input');
  if (supports('structured_outputs')) capabilities.add('json_schema');
  if (supports('thinking')) capabilities.add('reasoning');
  return capabilities;
}
