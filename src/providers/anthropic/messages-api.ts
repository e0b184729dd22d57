import type { Failure } from '../../core/failure.ts';
import type { Adapter, AdapterTarget, Chat, WireRequest } from '../port/adapter.ts';
import { NO_QUIRKS } from '../port/quirk.ts';
import { ANTHROPIC_LIST } from './claude-list.ts';
import { ANTHROPIC_FILE_TYPES } from './content-blocks.ts';
import { anthropicFailure } from './error-types.ts';
import { anthropicEvents, anthropicResponse } from './message-events.ts';
import { ANTHROPIC_OPTIONS, answerLimit } from './message-options.ts';
import type { ClaudeModel } from '../models/claude-models.ts';
import { claudeModel } from '../models/claude-models.ts';
import { anthropicPrompt } from './prompt-turns.ts';
import { thinkingOf, withoutThinking } from './thinking.ts';
import { anthropicTools } from './tool-use.ts';
import type { GenerationSettings } from '../shared/asked-tools.ts';
import { readSettings } from '../shared/asked-tools.ts';
import type { Takes } from '../shared/conversation.ts';
import { readConversation } from '../shared/conversation.ts';
import { askedEffort } from '../shared/asked-effort.ts';
import { anthropicLimits } from '../shared/headers/rate-limits.ts';
import { listingCheck } from '../shared/health-checks.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { asRecord } from '../shared/json/value.ts';
import type { OptionOutcome } from '../shared/option-table.ts';
import { translateOptions } from '../shared/option-table.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { readingQuirks, readingQuirksInBand, readingQuirksInWhole } from '../shared/quirks/read-quirk.ts';

/** Translates between the contract and Anthropic's Messages API. */
export const anthropic: Adapter = {
  framing: 'sse',
  request: anthropicRequest,
  response: readingQuirksInWhole(anthropicResponse),
  events: () => readingQuirksInBand(anthropicEvents()),
  failure: readingQuirks(anthropicFailure),
  limits: anthropicLimits,
  healthCheck: listingCheck('/v1/models?limit=1'),
  modelList: ANTHROPIC_LIST,
  silence: (model, reasoning) => {
    if (reasoning === 'refused') return 'short';
    return reasoning === 'asked' || claudeModel(model).thinking === 'adaptive' ? 'behind_signs' : 'short';
  },
};

/**
 * There is no mode for JSON without a schema, and a forced tool would not be one. Formats of images are those that the
 * contract has.
 */
const TAKES: Takes = {
  tools: true,
  images: 'url_and_data',
  files: ANTHROPIC_FILE_TYPES,
  mediaInToolResults: true,
  jsonObject: false,
  jsonSchema: true,
};

function anthropicRequest(chat: Chat, target: AdapterTarget): WireRequest | Failure {
  const conversation = readConversation(chat, target, TAKES);
  if ('failure' in conversation) return conversation.failure;
  const { quirks = NO_QUIRKS } = target;
  const listed = claudeModel(target.model);
  const known = quirks.has('system first') ? { ...listed, systemBetweenTurns: false } : listed;
  const settings = readSettings(chat, target);
  if ('failure' in settings) return settings.failure;
  const tools = anthropicTools(settings, known);
  if ('failure' in tools) return tools.failure;
  const isCached = (chat.options?.promptCacheKey ?? '') !== '';
  const prompt = anthropicPrompt(conversation.turns, known, target, isCached);
  if ('failure' in prompt) return prompt.failure;
  const limit = answerLimit(chat.options?.maxTokens, known, target.stream);
  const thinking = chooseThinking(settings, known, limit, prompt.continuesWithoutThinking);
  const options = translateOptions(ANTHROPIC_OPTIONS, { ...settings, known, limit, thinking });
  const written = {
    model: target.model,
    stream: target.stream,
    ...tools.fields,
    ...(prompt.system.length > 0 && { system: prompt.system }),
    messages: prompt.messages,
    ...(quirks.has('no display') ? withoutDisplay(options.fields) : options.fields),
  };
  const { body, warnings } = withProviderOptions(written, chat.options, target, 'output_config');
  return {
    path: '/v1/messages',
    body,
    warnings: [...prompt.warnings, ...conversation.warnings, ...options.warnings, ...warnings],
    localStop: options.localStop,
  };
}

/** Leaves out the wish to see what the model thinks. */
function withoutDisplay(fields: JsonRecord): JsonRecord {
  const { display: _, ...thinking } = asRecord(fields.thinking) ?? {};
  return fields.thinking === undefined ? fields : { ...fields, thinking };
}

function chooseThinking(
  { options, tools, choice }: GenerationSettings,
  model: ClaudeModel,
  limit: number,
  continuesWithoutThinking: boolean,
): OptionOutcome {
  const asked = askedEffort(options);
  if (tools.length > 0 && choice.mode === 'required')
    return withoutThinking(asked, model, 'The model does not reason where it must call a tool.');
  const asks = asked !== undefined && asked !== 'none';
  return asks && model.thinking === 'budget' && continuesWithoutThinking
    ? withoutThinking(asked, model, 'The model goes on without reasoning where a turn was begun without.')
    : thinkingOf(asked, model, limit);
}
