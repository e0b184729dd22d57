import { snapshotBase } from '../../core/model-id.ts';
import { claudeModel } from './claude-models.ts';
import file from './models.json' with { type: 'json' };
import type { Capability, ModelFacts } from '../port/model-facts.ts';
import { CAPABILITIES } from '../port/model-facts.ts';
import { openAiModel } from './gpt-models.ts';

/** A model of the catalogue under its name. */
export interface CataloguedModel extends ModelFacts {
  readonly id: string;
}

/**
 * Returns what the catalogue knows of a model: by its id, an alias, or the id that it is a dated snapshot of. Undefined for ids
 * that it does not have, among them all of Azure OpenAI, whose names are deployments, and of Ollama, which knows best itself.
 */
export function modelFacts(provider: string, model: string): CataloguedModel | undefined {
  const models = CATALOGUE.get(provider);
  const exact = models?.get(model);
  const base = exact === undefined ? snapshotBase(provider, model) : undefined;
  return base === undefined ? exact : models?.get(base);
}

/** Returns the models of a provider that the catalogue has, without their aliases. */
export function cataloguedModels(provider: string): readonly CataloguedModel[] {
  return [...(CATALOGUE.get(provider) ?? [])].flatMap(([id, facts]) => (facts.id === id ? [facts] : []));
}

/** Returns the id under which some provider's catalogue has a name: that of an alias or a dated snapshot; undefined where none has. */
export function cataloguedId(model: string): string | undefined {
  for (const provider of CATALOGUE.keys()) {
    const id = modelFacts(provider, model)?.id;
    if (id !== undefined) return id;
  }
  return undefined;
}

/** By provider, then by id and alias. */
const CATALOGUE: ReadonlyMap<string, ReadonlyMap<string, CataloguedModel>> = readCatalogue();

function readCatalogue(): ReadonlyMap<string, ReadonlyMap<string, CataloguedModel>> {
  const catalogue = new Map<string, Map<string, CataloguedModel>>();
  for (const { provider, model: id, aliases = [], context_window, max_output_tokens, capabilities } of file.models) {
    const models = catalogue.get(provider) ?? new Map<string, CataloguedModel>();
    const facts = {
      id,
      contextWindow: context_window,
      maxOutputTokens: max_output_tokens ?? (provider === 'anthropic' ? claudeModel(id).maxOutputTokens : undefined),
      capabilities: new Set([...capabilities.map((word) => capabilityOf(word)), ...ofRequests(provider, id)]),
    };
    for (const name of [id, ...aliases]) models.set(name, facts);
    catalogue.set(provider, models);
  }
  return catalogue;
}

function capabilityOf(word: string): Capability {
  const capability = CAPABILITIES.find((known) => known === word);
  if (capability === undefined) throw new RangeError(`models.json: no such capability: ${word}`);
  return capability;
}

/** What the tables that requests are shaped by know already; the file does not repeat it. */
function ofRequests(provider: string, id: string): readonly Capability[] {
  if (provider === 'openai') {
    const model = openAiModel(id);
    if (model === undefined) return [];
    if (!model.reasons) return ['sampling'];
    // Sampling is taken where the model is told not to reason.
    return model.chatEfforts.includes('none') ? ['reasoning', 'sampling'] : ['reasoning'];
  }
  // Only models that the table has by name have a limit there; since version 2026-10-21 none takes sampling.
  return provider === 'anthropic' && claudeModel(id).maxOutputTokens !== undefined ? ['reasoning'] : [];
}
