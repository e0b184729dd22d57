import { create } from '@bufbuild/protobuf';

import { ModelSchema } from '../gen/understudy/v1/llm_pb.ts';
import type { Model } from '../gen/understudy/v1/llm_pb.ts';
import { PricesSchema } from '../gen/understudy/v1/usage_pb.ts';
import type { TargetConfig } from './config/config.ts';
import type { PriceTable } from './pricing/price-table.ts';

/** Lists the models of all targets, by target and id: those of the configuration and those of the price table. */
export function listCatalogue(targets: readonly TargetConfig[], prices: PriceTable): readonly Model[] {
  return targets.flatMap((target) => modelsOf(target, prices));
}

function modelsOf(target: TargetConfig, prices: PriceTable): Model[] {
  const { name, provider } = target;
  const catalogue = new Map(prices.catalogue(provider).map((entry) => [entry.id, entry]));
  const ids = [...new Set([...target.models, ...catalogue.keys()])].toSorted();
  return ids.map((id) => {
    const known = catalogue.get(id);
    const model = create(ModelSchema, { id, target: name, provider, defaultOfTarget: id === target.model });
    if (known?.contextWindow !== undefined) model.contextWindow = known.contextWindow;
    if (known?.maxOutputTokens !== undefined) model.maxOutputTokens = known.maxOutputTokens;
    const published = (prices.override(name, id) ?? prices.lookup(provider, id))?.published;
    if (published !== undefined) {
      const { input, cachedInput = '', cacheWrite = '', output } = published;
      model.prices = create(PricesSchema, { input, cachedInput, cacheWrite, output });
    }
    return model;
  });
}
