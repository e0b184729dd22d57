import type { File, Image, Reasoning, ToolCall, ToolResult } from '../../../gen/understudy/v1/chat_pb.ts';
import type { Failure } from '../../core/failure.ts';
import type { AdapterWarning } from '../port/adapter.ts';
import { areDifferentModels } from '../models/claude-models.ts';
import { decodeState } from './thinking-state.ts';
import { base64 } from '../shared/json/base64.ts';
import type { ReadPart } from '../shared/conversation.ts';
import { exactJson } from '../shared/json/exact-json.ts';
import { invalid } from '../shared/provider-failure.ts';
import { stateOfOtherModel } from '../shared/warnings.ts';

/** A content block of the Messages API. */
export type Block = Readonly<Record<string, unknown>> & { readonly type: string };

/** What the translation of a part depends on besides the part. */
export interface BlockContext {
  /** The model that is asked. */
  readonly model: string;
  /** Whether Anthropic itself is asked, which takes no reasoning back that it has not signed. */
  readonly ownHost: boolean;
  /** The parts after which the prompt is to be cached. */
  readonly breakpoints: ReadonlySet<ReadPart>;
  /** Gives a tool call, and its result, the id that it has at the provider; asked in the order of the conversation. */
  readonly toolId: (id: string) => string;
  /** Where warnings are put. */
  readonly warnings: AdapterWarning[];
}

type Refusal = { readonly failure: Failure };

/** Files that the API takes: PDF, and texts of any kind, which it is sent as plain text. */
export const ANTHROPIC_FILE_TYPES: readonly string[] = [
  'application/pdf',
  'text/plain',
  'text/markdown',
  'text/csv',
  'text/html',
  'text/xml',
  'application/json',
  'application/xml',
];

/**
 * Translates the parts of a message, in their order. Texts of blanks alone are left out: the API refuses them, but writes
 * such itself. Reasoning goes back unchanged, by its state; where another model made it, it is left out with a warning.
 */
export function anthropicBlocks(parts: readonly ReadPart[], context: BlockContext): readonly Block[] | Refusal {
  const blocks: Block[] = [];
  for (const part of parts) {
    const block = blockOf(part, context);
    if (block === undefined) continue;
    if (!('type' in block)) return block;
    blocks.push(context.breakpoints.has(part) ? { ...block, cache_control: { type: 'ephemeral' } } : block);
  }
  return blocks;
}

function blockOf(read: ReadPart, context: BlockContext): Block | Refusal | undefined {
  const { part, place } = read;
  switch (part.case) {
    case 'text':
      return part.value.trim() === '' ? undefined : { type: 'text', text: part.value };
    case 'image':
      return imageBlock(part.value);
    case 'file':
      return fileBlock(part.value, place);
    case 'reasoning':
      return thinkingBlock(part.value, read, context);
    case 'toolCall':
      return toolUseBlock(part.value, place, context);
    case 'toolResult':
      return toolResultBlock(part.value, read, context);
  }
}

function imageBlock({ source, mediaType }: Image): Block | undefined {
  switch (source.case) {
    case 'url':
      return { type: 'image', source: { type: 'url', url: source.value } };
    case 'data':
      return { type: 'image', source: { type: 'base64', media_type: mediaType, data: base64(source.value) } };
    case undefined:
      return undefined;
  }
}

function fileBlock({ data, mediaType, filename }: File, place: string): Block | Refusal {
  const title = filename === '' ? {} : { title: filename };
  if (mediaType === 'application/pdf') {
    return { type: 'document', source: { type: 'base64', media_type: mediaType, data: base64(data) }, ...title };
  }
  const text = utf8(data);
  return text === undefined
    ? { failure: invalid(`${place}.file.data`, 'A file of this media type must be text in UTF-8.') }
    : { type: 'document', source: { type: 'text', media_type: 'text/plain', data: text }, ...title };
}

function utf8(data: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data);
  } catch {
    return undefined;
  }
}

function thinkingBlock(
  { text }: Reasoning,
  { state, place }: ReadPart,
  { model, ownHost, warnings }: BlockContext,
): Block | Refusal | undefined {
  if (state === undefined) return undefined;
  const field = `${place}.provider_state`;
  const decoded = decodeState(state);
  if (decoded === undefined) return { failure: invalid(`${field}.data`, 'It must be as the gateway gave it out.') };
  if (decoded.model !== undefined && areDifferentModels(decoded.model, model)) {
    warnings.push(stateOfOtherModel(field));
    return undefined;
  }
  if (decoded.type === 'thinking' && decoded.signature === '' && ownHost) return undefined;
  return decoded.type === 'thinking'
    ? { type: 'thinking', thinking: text, signature: decoded.signature }
    : { type: 'redacted_thinking', data: decoded.data };
}

function toolUseBlock({ id, name, argumentsJson }: ToolCall, place: string, { toolId }: BlockContext): Block | Refusal {
  const input = argumentsJson === '' ? {} : exactJson(argumentsJson);
  return input === undefined
    ? { failure: invalid(`${place}.tool_call.arguments_json`, 'It must be a JSON object.') }
    : { type: 'tool_use', id: toolId(id), name, input };
}

function toolResultBlock(
  { toolCallId, isError }: ToolResult,
  { content }: ReadPart,
  context: BlockContext,
): Block | Refusal {
  const inner = anthropicBlocks(content, context);
  if ('failure' in inner) return inner;
  return {
    type: 'tool_result',
    tool_use_id: context.toolId(toolCallId),
    ...(inner.length > 0 && { content: inner }),
    ...(isError && { is_error: true }),
  };
}
