import { openAiModel } from '../../models/gpt-models.ts';
import { listedLimits } from '../../models/listed-limits.ts';
import type { ListedModel, ModelList } from '../../port/adapter.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, recordsOf, textOf } from '../../shared/json/value.ts';

/** The list of models in OpenAI's form, which many servers have. */
export const OPENAI_LIST: ModelList = {
  path: '/models',
  read: (json, ownHost) => recordsOf(asRecord(json)?.data).flatMap((entry) => openAiEntry(entry, ownHost)),
};

/** What OpenAI itself calls the owner of its models. Other servers say the same (LiteLLM of all it has), so that it counts nowhere else. */
const OPENAI_OWNERS = new Set(['openai', 'openai-internal', 'system']);
/** Models that answer no conversation in text, by what their names have in them. */
const OTHER_PURPOSE = /audio|realtime|transcribe|tts|image|search|instruct|embedding|moderation/;

function openAiEntry(entry: JsonRecord, ownHost: boolean): readonly ListedModel[] {
  const id = textOf(entry.id);
  const isOpenAis = ownHost && OPENAI_OWNERS.has(textOf(entry.owned_by));
  if (isOpenAis && (openAiModel(id) === undefined || OTHER_PURPOSE.test(id))) return [];
  return [{ id, ...listedLimits(entry) }];
}
