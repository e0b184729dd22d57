import { ToolChoiceMode } from '../../../gen/understudy/v1/chat_pb.ts';
import type { Failure } from '../../core/failure.ts';
import type { AdapterTarget, AdapterWarning, Chat } from '../port/adapter.ts';
import type { Conversation, Takes } from './conversation.ts';
import { readConversation, saysJson } from './conversation.ts';
import { exactJson } from './json/exact-json.ts';
import type { JsonRecord } from './json/value.ts';
import { modelFacts } from '../models/catalogued-models.ts';
import { invalid, unsupported } from './provider-failure.ts';
import { parameterDropped } from './warnings.ts';

/** A function that the model may call. */
export interface ReadTool {
  readonly name: string;
  /** Empty where the caller gave none. */
  readonly description: string;
  /** JSON Schema of the arguments; of a function without arguments the schema of an empty object. */
  readonly parameters: JsonRecord;
  readonly strict: boolean;
}

/** Whether a tool must be called, and which. */
export interface ReadChoice {
  readonly mode: 'auto' | 'none' | 'required';
  /** Only these tools; empty for all. */
  readonly names: readonly string[];
}

/** The tools of a request. Without tools there is no choice. */
export interface ReadTools {
  readonly tools: readonly ReadTool[];
  readonly choice: ReadChoice;
}

/** What a request asks for besides its conversation. */
export interface GenerationSettings extends ReadTools {
  readonly options: Chat['options'];
  /** Absent for text. */
  readonly format: ReadFormat | undefined;
  /** Whether the provider itself answers, not another server that speaks its API. */
  readonly ownHost: boolean;
}

/** The form of an answer in JSON. */
export type ReadFormat =
  | { readonly type: 'json_object' }
  | { readonly type: 'json_schema'; readonly name: string; readonly schema: JsonRecord; readonly strict: boolean };

const FREE_CHOICE: ReadChoice = { mode: 'auto', names: [] };
const NO_TOOLS: ReadTools = { tools: [], choice: FREE_CHOICE };
const NO_ARGUMENTS: JsonRecord = { type: 'object', properties: {}, additionalProperties: false };

const MODES: ReadonlyMap<ToolChoiceMode, ReadChoice['mode']> = new Map<ToolChoiceMode, ReadChoice['mode']>([
  [ToolChoiceMode.NONE, 'none'],
  [ToolChoiceMode.REQUIRED, 'required'],
]);

/** Reads what a request asks for besides its conversation, or names the schema that is no JSON object. */
export function readSettings(
  chat: Chat,
  { ownHost = true }: Pick<AdapterTarget, 'ownHost'>,
): GenerationSettings | { readonly failure: Failure } {
  const tools = readTools(chat);
  if ('failure' in tools) return tools;
  const format = readFormat(chat);
  return format !== undefined && 'failure' in format ? format : { ...tools, options: chat.options, format, ownHost };
}

/** Reads the tools of a request and the choice among them, or names the schema that is no JSON object. */
function readTools({ tools, toolChoice }: Chat): ReadTools | { readonly failure: Failure } {
  if (tools.length === 0) return NO_TOOLS;
  const read: ReadTool[] = [];
  for (const [index, { kind }] of tools.entries()) {
    if (kind.case === undefined) return { failure: unsupported(`tools[${index}]`, 'The kind of tool is not known.') };
    const { name, description, parametersJson, strict } = kind.value;
    const parameters = parametersJson === '' ? NO_ARGUMENTS : exactJson(parametersJson);
    if (parameters === undefined) return noObject(`tools[${index}].function.parameters_json`);
    read.push({ name, description, parameters, strict });
  }
  if (toolChoice === undefined) return { tools: read, choice: FREE_CHOICE };
  const mode = MODES.get(toolChoice.mode) ?? 'auto';
  return { tools: read, choice: { mode, names: mode === 'none' ? [] : [...new Set(toolChoice.toolNames)] } };
}

/** Returns the tools that may be called, for an API that cannot be told to choose among some of them. */
export function allowedTools({ tools, choice }: ReadTools): readonly ReadTool[] {
  return choice.names.length === 0 ? tools : tools.filter(({ name }) => choice.names.includes(name));
}

/** Says that a provider does not hold calls to the schema of their function, where that was asked for. */
export function strictDropped(tools: readonly ReadTool[]): readonly AdapterWarning[] {
  const index = tools.findIndex(({ strict }) => strict);
  return index < 0
    ? []
    : [parameterDropped(`tools[${index}].function.strict`, 'The provider does not hold calls to their schema.')];
}

/** A JSON mode that would refuse the prompt. */
export const NO_WORD_JSON = {
  failure: unsupported('options.response_format', 'For JSON the model needs the word JSON in a message.'),
} as const;

/** A request as the APIs of OpenAI's kind are sent it. */
interface ReadChat extends Conversation {
  readonly settings: GenerationSettings;
  /** Whether the gateway has to look after the schema of the answer, because the model is asked for JSON alone. */
  readonly localSchema: boolean;
}

/** Reads a request for an API with JSON mode: a model that is known to have no schemas is asked for JSON alone. */
export function readChat(chat: Chat, target: AdapterTarget, takes: Takes): ReadChat | { readonly failure: Failure } {
  const conversation = readConversation(chat, target, takes);
  if ('failure' in conversation) return conversation;
  const settings = readSettings(chat, target);
  if ('failure' in settings) return settings;
  const known = target.ownHost === false ? undefined : modelFacts(target.provider, target.model);
  const capabilities = known?.capabilities;
  if (settings.format?.type !== 'json_schema' || capabilities?.has('json_schema') !== false) {
    return { ...conversation, settings, localSchema: false };
  }
  if (!capabilities.has('json_object')) {
    return { failure: unsupported('options.response_format', 'The model has no answers in JSON.') };
  }
  if (!conversation.turns.some(saysJson)) return NO_WORD_JSON;
  return { ...conversation, settings: { ...settings, format: { type: 'json_object' } }, localSchema: true };
}

/** Reads the form that the answer shall have; undefined for text. Names the schema that is no JSON object. */
function readFormat({ options }: Chat): ReadFormat | undefined | { readonly failure: Failure } {
  const format = options?.responseFormat?.format;
  if (format?.case === 'jsonObject') return { type: 'json_object' };
  if (format?.case !== 'jsonSchema') return undefined;
  const { name, schemaJson, strict } = format.value;
  const schema = exactJson(schemaJson);
  return schema === undefined
    ? noObject('options.response_format.json_schema.schema_json')
    : { type: 'json_schema', name, schema, strict };
}

function noObject(field: string): { readonly failure: Failure } {
  return { failure: invalid(field, 'It must be a JSON object.') };
}
