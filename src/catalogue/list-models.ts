import { create } from '@bufbuild/protobuf';

import { Capability, ModelSchema } from '../../gen/understudy/v1/llm_pb.ts';
import type { Model } from '../../gen/understudy/v1/llm_pb.ts';
import { PricesSchema } from '../../gen/understudy/v1/usage_pb.ts';
import type { TargetConfig } from '../config/port/resolved.ts';
import type { TargetLists } from './target-lists.ts';
import type { KnownModels } from './known-models.ts';
import type { PriceTable } from '../pricing/price-table.ts';
import type { Capability as CapabilityWord } from '../providers/port/model-facts.ts';
import { cataloguedModels } from '../providers/models/catalogued-models.ts';

/** How long a list of all models waits for those that the targets list themselves, in milliseconds. */
const LIST_WAIT_MS = 2_000;

const CAPABILITY_OF_WORD = {
  tools: Capability.TOOLS,
  parallel_tools: Capability.PARALLEL_TOOLS,
  image_input: Capability.IMAGE_INPUT,
  file_input: Capability.FILE_INPUT,
  json_object: Capability.JSON_OBJECT,
  json_schema: Capability.JSON_SCHEMA,
  reasoning: Capability.REASONING,
  sampling: Capability.SAMPLING,
  cache_breakpoints: Capability.CACHE_BREAKPOINTS,
} as const satisfies Record<CapabilityWord, Capability>;

/** What models are listed from. */
export interface ListContext {
  readonly prices: PriceTable;
  readonly known: KnownModels;
  readonly lists: TargetLists;
}

/**
 * Lists the models of all targets, by target and id: those of the configuration, of the catalogue where the provider itself
 * answers, and of the targets' own lists, for which it waits two seconds at most.
 */
export async function listModels(targets: readonly TargetConfig[], context: ListContext): Promise<readonly Model[]> {
  await context.lists.read(LIST_WAIT_MS);
  return targets.flatMap((target) => modelsOf(target, context));
}

function modelsOf(target: TargetConfig, { prices, known, lists }: ListContext): Model[] {
  const { name, provider, ownHost } = target;
  const catalogued = ownHost ? cataloguedModels(provider).map(({ id }) => id) : [];
  const listed = [...lists.of(name)].map(({ id }) => id);
  const ids = [...new Set([...target.models, ...catalogued, ...listed])].toSorted();
  return ids.map((id) => {
    const { contextWindow, maxOutputTokens, capabilities } = known.facts(name, id) ?? {};
    const model = create(ModelSchema, { id, target: name, provider, defaultOfTarget: id === target.model });
    if (contextWindow !== undefined) model.contextWindow = contextWindow;
    if (maxOutputTokens !== undefined) model.maxOutputTokens = maxOutputTokens;
    model.capabilities = [...(capabilities ?? [])].map((word) => CAPABILITY_OF_WORD[word]).toSorted((a, b) => a - b);
    const ofProvider = ownHost ? prices.lookup(provider, id) : prices.ofAnyModel(provider, id);
    const published = (prices.override(name, id) ?? ofProvider)?.published;
    if (published !== undefined) {
      const { input, cachedInput = '', cacheWrite = '', output } = published;
      model.prices = create(PricesSchema, { input, cachedInput, cacheWrite, output });
    }
    return model;
  });
}
