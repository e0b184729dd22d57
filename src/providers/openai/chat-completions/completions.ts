import type { Failure } from '../../../core/failure.ts';
import type { AdapterTarget, Chat, Translator, WireRequest } from '../../port/adapter.ts';
import { NO_QUIRKS } from '../../port/quirk.ts';
import { openAiModel } from '../../models/gpt-models.ts';
import type { GenerationSettings } from '../../shared/asked-tools.ts';
import { readChat } from '../../shared/asked-tools.ts';
import type { Takes, Turn } from '../../shared/conversation.ts';
import { openAiLimits } from '../../shared/headers/rate-limits.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import type { WireOptions } from '../../shared/option-table.ts';
import { withProviderOptions } from '../../shared/provider-options.ts';
import { readingQuirks, readingQuirksInBand, readingQuirksInWhole } from '../../shared/quirks/read-quirk.ts';
import { renamedFields } from '../../shared/quirks/renamed-fields.ts';
import { familyToolIds, toolIdForm } from '../../shared/quirks/tool-id-forms.ts';
import type { ToolIdForm } from '../../shared/tool-ids.ts';
import { toolIdsFor } from '../../shared/tool-ids.ts';
import { parameterAdjusted } from '../../shared/warnings.ts';
import { refusedCall } from '../../shared/errors/refusal-failure.ts';
import { cacheMarks, NO_MARKS } from '../shared/input-parts.ts';
import type { AnswerForms } from './completion-chunks.ts';
import { chatEvents, completionResponse } from './completion-chunks.ts';
import type { MessageStyle } from './completion-messages.ts';
import { chatMessages } from './completion-messages.ts';
import { COMPATIBLE_OPTIONS, openAiChatOptions, OPENAI_OPTIONS } from './completion-options.ts';
import { hasLaterSystem } from './system-turns.ts';

/** What the providers that speak Chat Completions do differently. */
export interface ChatDialect extends AnswerForms {
  /** What a model can be sent. */
  takes(model: string): Takes;
  /** Translates tools, format and all options but those of {@link withProviderOptions}. */
  options(
    settings: GenerationSettings,
    model: string,
    turns: readonly Turn[],
  ): WireOptions | { readonly failure: Failure };
  /** The form of messages. `fields` are those of the options. */
  messages(model: string, fields: JsonRecord): Omit<MessageStyle, 'marks' | 'toolId' | 'joinsSystem' | 'quirks'>;
  /** Which ids of tool calls a model takes; absent: as {@link familyToolIds} knows. */
  readonly toolIds?: ToolIdForm;
  /** The value of `stream_options`; undefined where the provider does not take the field. */
  streamOptions(model: string): JsonRecord | undefined;
}

/** Images anywhere and PDF files, both in messages of the user alone. */
export const CHAT_TAKES: Takes = {
  tools: true,
  images: 'url_and_data',
  files: ['application/pdf'],
  mediaInToolResults: false,
  jsonObject: true,
  jsonSchema: true,
};

/** Chat Completions as OpenAI speaks it, and, with models that are not its own, as the many servers after its model do. */
export const OPENAI_CHAT: ChatDialect = {
  takes: () => CHAT_TAKES,
  options: (settings, model) => {
    const isOwn = openAiModel(model) !== undefined;
    return openAiChatOptions(isOwn ? OPENAI_OPTIONS : COMPATIBLE_OPTIONS, settings, model, isOwn);
  },
  messages: (model) => {
    const known = openAiModel(model);
    return {
      systemRole: known?.reasons === true ? 'developer' : 'system',
      partsInToolMessages: known !== undefined,
      replaysReasoning: 'by_state',
    };
  },
  // Only OpenAI pads its chunks, and other servers may refuse the field that stops it.
  streamOptions: (model) => ({
    include_usage: true,
    ...(openAiModel(model) === undefined ? {} : { include_obfuscation: false }),
  }),
  keepsReasoning: true,
};

/** Makes the translator of a provider that speaks Chat Completions. */
export function chatCompletions(dialect: ChatDialect): Translator {
  return {
    framing: 'sse',
    request: (chat, target) => chatRequest(dialect, chat, target),
    response: readingQuirksInWhole((json, text) => completionResponse(json, dialect, text)),
    events: () => readingQuirksInBand(chatEvents(dialect)),
    failure: readingQuirks(refusedCall),
    limits: openAiLimits,
  };
}

function chatRequest(dialect: ChatDialect, chat: Chat, target: AdapterTarget): WireRequest | Failure {
  const { model, ownHost = true, quirks = NO_QUIRKS } = target;
  const read = readChat(chat, target, dialect.takes(model));
  if ('failure' in read) return read.failure;
  const { turns, settings } = read;
  const options = dialect.options(settings, model, turns);
  if ('failure' in options) return options.failure;
  const known = dialect.messages(model, options.fields);
  const hosted = ownHost ? undefined : 'leading';
  const style: MessageStyle = {
    ...known,
    systemRole: quirks.has('no developer') ? 'system' : known.systemRole,
    joinsSystem: quirks.has('system first') ? 'all' : hosted,
    quirks,
    marks: quirks.has('no prompt_cache_breakpoint') ? NO_MARKS : cacheMarks(turns, model),
    toolId: toolIdsFor(toolIdForm(dialect.toolIds ?? familyToolIds(model), quirks)),
  };
  const streamOptions = target.stream ? sentStreamOptions(dialect.streamOptions(model), target) : undefined;
  const fields = quirks.size === 0 ? options.fields : renamedFields(options.fields, quirks);
  const written: Record<string, unknown> = { model, messages: chatMessages(turns, style), ...fields };
  if (target.stream) written['stream'] = true;
  if (streamOptions !== undefined) written['stream_options'] = streamOptions;
  const { body, warnings } = withProviderOptions(written, chat.options, target, 'stream_options');
  const moved = style.joinsSystem === 'all' && hasLaterSystem(turns) ? [SYSTEM_MOVED] : [];
  return {
    path: '/chat/completions',
    body,
    warnings: read.warnings.concat(moved, options.warnings, warnings),
    localStop: options.localStop,
    ...(read.localSchema || options.localSchema === true ? { localSchema: true } : {}),
  };
}

const SYSTEM_MOVED = parameterAdjusted(
  'messages',
  'The server takes instructions only at the beginning; later ones were moved there.',
);

/** Only OpenAI itself pads its chunks, and another server may refuse the field that stops it. */
function sentStreamOptions(
  options: JsonRecord | undefined,
  { ownHost = true, quirks = NO_QUIRKS }: AdapterTarget,
): JsonRecord | undefined {
  if (options === undefined || quirks.has('no stream_options')) return undefined;
  if (options.include_obfuscation === undefined || (ownHost && !quirks.has('no include_obfuscation'))) return options;
  const { include_obfuscation: _, ...others } = options;
  return others;
}
