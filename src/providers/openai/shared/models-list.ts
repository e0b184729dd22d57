import { openAiModel } from '../../models/gpt-models.ts';
import type { ListedModel, ModelList } from '../../port/adapter.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, recordsOf, textOf } from '../../shared/json/value.ts';

/** The list of models in OpenAI's form, which many servers have. */
export const OPENAI_LIST: ModelList = {
  path: '/models',
  read: (json) => recordsOf(asRecord(json)?.data).flatMap(openAiEntry),
};

/** What OpenAI itself calls the owner of its models; other servers that speak its API have names of their own. */
const OPENAI_OWNERS = new Set(['openai', 'openai-internal', 'system']);
/** Models that answer no conversation in text, by what their names have in them. */
const OTHER_PURPOSE = /audio|realtime|transcribe|tts|image|search|instruct|embedding|moderation/;

function openAiEntry(entry: JsonRecord): readonly ListedModel[] {
  const id = textOf(entry.id);
  const isOpenAis = OPENAI_OWNERS.has(textOf(entry.owned_by));
  return isOpenAis && (openAiModel(id) === undefined || OTHER_PURPOSE.test(id)) ? [] : [{ id }];
}
