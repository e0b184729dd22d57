import type { Message, Part } from '../../../gen/understudy/v1/chat_pb.ts';
import { PartSchema, Role, ToolChoiceMode } from '../../../gen/understudy/v1/chat_pb.ts';
import type { Failure } from '../../core/failure.ts';
import type { AdapterTarget, AdapterWarning, Chat } from '../port/adapter.ts';
import { unsupported } from './provider-failure.ts';
import { stateDropped } from './warnings.ts';

/** The kinds of parts that the contract has. */
type KnownPart = Exclude<Part['part'], { case: undefined }>;

/** A part of a message that the provider takes. */
export interface ReadPart {
  /** What the contract has there; a text is never empty. */
  readonly part: KnownPart;
  /** What this target wants back with the part; absent where it made none. */
  readonly state: Uint8Array | undefined;
  /** Whether the prompt up to here is worth caching: a hint, which APIs without such marks may overlook. */
  readonly cacheBreakpoint: boolean;
  /** What a tool returned: texts, images and files; empty for other parts. */
  readonly content: readonly ReadPart[];
  /** Where the part stands in the request, such as `messages[1].content[0]`. */
  readonly place: string;
}

/** A message of which something remains to be sent. */
export interface Turn {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  /** At least one. */
  readonly parts: readonly ReadPart[];
  /** Where the message stands in the request, such as `messages[1]`. */
  readonly place: string;
}

/** What a model can be sent through an API. A request that needs more is a failure of class `capability` that names the field. */
export interface Takes {
  /** Definitions of tools, their calls and their results. */
  readonly tools: boolean;
  /** Images: as bytes, or also by an address that the provider fetches. */
  readonly images: 'none' | 'data' | 'url_and_data';
  /** Media types of files; `any` leaves it to the provider which types the model reads. */
  readonly files: 'none' | 'any' | readonly string[];
  /** Whether results of tools may have images and files as far as messages of the user may; otherwise they are text alone. */
  readonly mediaInToolResults: boolean;
  /** Answers in JSON. */
  readonly jsonObject: boolean;
  /** Answers in JSON of a schema. */
  readonly jsonSchema: boolean;
}

/** Text and nothing else. */
const TEXT_ONLY: Takes = {
  tools: false,
  images: 'none',
  files: 'none',
  mediaInToolResults: false,
  jsonObject: false,
  jsonSchema: false,
};

/** A conversation as far as the provider takes it. */
export interface Conversation {
  readonly turns: readonly Turn[];
  readonly warnings: readonly AdapterWarning[];
}

type Refusal = { readonly failure: Failure };

const ROLES: ReadonlyMap<Role, Turn['role']> = new Map<Role, Turn['role']>([
  [Role.SYSTEM, 'system'],
  [Role.USER, 'user'],
  [Role.ASSISTANT, 'assistant'],
  [Role.TOOL, 'tool'],
]);

const NO_PARTS: readonly ReadPart[] = [];

/**
 * Reads a request for an adapter, or says with the field what in it goes beyond `takes`. A conversation that ends with the
 * assistant is refused too: it would be a prefill, which current models reject and which splices answers. Reasoning of
 * earlier turns is kept where `target` has made it, known by its state, and otherwise left out, since models write their own;
 * a state of another target is left out with a warning. Empty texts are left out, and messages of which nothing remains.
 */
export function readConversation(chat: Chat, target: AdapterTarget, takes: Takes): Conversation | Refusal {
  const feature = beyond(chat, takes);
  if (feature !== undefined) return { failure: feature };
  const turns: Turn[] = [];
  const warnings: AdapterWarning[] = [];
  let position = 0;
  for (const message of chat.messages) {
    const turn = readMessage(message, `messages[${position}]`, target.name, takes, warnings);
    position += 1;
    if ('failure' in turn) return turn;
    if (turn.parts.length > 0) turns.push(turn);
  }
  if (turns.findLast(({ role }) => role !== 'system')?.role === 'assistant') {
    return { failure: unsupported('messages', 'The conversation must not end with a message of the assistant.') };
  }
  return { turns, warnings };
}

/** Returns the texts of a message, in order. */
export function textsOf({ parts }: Turn): readonly string[] {
  const texts: string[] = [];
  for (const { part } of parts) if (part.case === 'text') texts.push(part.value);
  return texts;
}

/** Whether a message has the word JSON, without which JSON modes refuse a prompt. */
export function saysJson({ parts }: Turn): boolean {
  return parts.some((part) => isJsonText(part) || part.content.some(isJsonText));
}

function isJsonText({ part }: ReadPart): boolean {
  return part.case === 'text' && /json/i.test(part.value);
}

function readMessage(
  { role, content }: Message,
  place: string,
  target: string,
  takes: Takes,
  warnings: AdapterWarning[],
): Turn | Refusal {
  const parts = readParts(content, `${place}.content`, target, takes, warnings);
  if ('failure' in parts) return parts;
  const speaker = ROLES.get(role);
  if (speaker === undefined || (speaker === 'tool' && !takes.tools)) return notTaken(`${place}.role`);
  const misplaced = parts.find(({ part }) => (part.case === 'toolResult') !== (speaker === 'tool'));
  if (misplaced !== undefined) return notTaken(`${misplaced.place}.${PartSchema.field[misplaced.part.case].name}`);
  return { role: speaker, parts, place };
}

function readParts(
  content: readonly Part[],
  path: string,
  target: string,
  takes: Takes,
  warnings: AdapterWarning[],
): readonly ReadPart[] | Refusal {
  const parts: ReadPart[] = [];
  let index = 0;
  for (const { part, providerState, cacheBreakpoint } of content) {
    const place = `${path}[${index}]`;
    index += 1;
    if (part.case === undefined) return notTaken(place);
    const failure = beyondPart(part, place, takes);
    if (failure !== undefined) return { failure };
    const state = providerState?.target === target ? providerState.data : undefined;
    if (providerState !== undefined && state === undefined) warnings.push(stateDropped(`${place}.provider_state`));
    if ((part.case === 'text' && part.value === '') || (part.case === 'reasoning' && state === undefined)) continue;
    let inner: readonly ReadPart[] | Refusal = NO_PARTS;
    if (part.case === 'toolResult') {
      const within = takes.mediaInToolResults ? takes : TEXT_ONLY;
      inner = readParts(part.value.content, `${place}.tool_result.content`, target, within, warnings);
      if ('failure' in inner) return inner;
    }
    parts.push({ part, state, cacheBreakpoint, content: inner, place });
  }
  return parts;
}

function beyond(chat: Chat, takes: Takes): Failure | undefined {
  if (!takes.tools) {
    if (chat.tools.length > 0) return unsupported('tools', 'Tools are not supported by this model.');
    if (chat.toolChoice?.mode === ToolChoiceMode.REQUIRED) {
      return unsupported('tool_choice', 'Tools are not supported by this model.');
    }
  }
  const unknown = chat.tools.findIndex(({ kind }) => kind.case === undefined);
  if (unknown >= 0) return unsupported(`tools[${unknown}]`, 'This kind of tool is not supported by this model.');
  const format = chat.options?.responseFormat?.format.case;
  return (format === 'jsonObject' && !takes.jsonObject) || (format === 'jsonSchema' && !takes.jsonSchema)
    ? unsupported('options.response_format', 'Answers of this format are not supported by this model.')
    : undefined;
}

function beyondPart(part: KnownPart, place: string, takes: Takes): Failure | undefined {
  switch (part.case) {
    case 'image':
      if (takes.images === 'none') return notTaken(`${place}.image`).failure;
      return takes.images === 'data' && part.value.source.case === 'url'
        ? unsupported(`${place}.image.url`, 'Images must be sent as bytes to this model.')
        : undefined;
    case 'file':
      if (takes.files === 'none') return notTaken(`${place}.file`).failure;
      return takes.files === 'any' || takes.files.includes(part.value.mediaType)
        ? undefined
        : unsupported(`${place}.file.media_type`, 'Files of this type are not supported by this model.');
    case 'toolCall':
    case 'toolResult':
      return takes.tools ? undefined : notTaken(`${place}.${PartSchema.field[part.case].name}`).failure;
    case 'text':
    case 'reasoning':
      return undefined;
  }
}

function notTaken(field: string): Refusal {
  return { failure: unsupported(field, 'This is not supported by this model.') };
}
