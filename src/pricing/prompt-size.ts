import type { Part } from '../../gen/understudy/v1/chat_pb.ts';
import type { ChatRequest } from '../../gen/understudy/v1/llm_pb.ts';

/** Tokens of an image: providers count 85 to about 1,600, by its dimensions. */
const TOKENS_OF_IMAGE = 1_500;
/** Files that providers read as text. */
const TEXT = /^text\/|[/+](json|xml)$/;
/** Bytes to a token of a file that is no text, such as a PDF: some 50 KB a page, which providers count as about 2,500 tokens. */
const FILE_BYTES_PER_TOKEN = 20;

/** The size of a prompt, from which its tokens are estimated. */
export interface PromptSize {
  /** Bytes of UTF-8 of all text, definitions of tools, their calls and results, and schemas included. */
  readonly bytes: number;
  readonly messages: number;
  /** A rough guess at the tokens of images and files. */
  readonly mediaTokens: number;
}

/** Measures the prompt of a request. */
export function promptSize({
  messages,
  tools,
  options,
}: Pick<ChatRequest, 'messages' | 'tools' | 'options'>): PromptSize {
  const size = { bytes: 0, messages: messages.length, mediaTokens: 0 };
  for (const { content } of messages) for (const part of content) add(size, part);
  for (const { kind } of tools) {
    if (kind.case === undefined) continue;
    const { name, description, parametersJson } = kind.value;
    size.bytes += Buffer.byteLength(name) + Buffer.byteLength(description) + Buffer.byteLength(parametersJson);
  }
  const format = options?.responseFormat?.format;
  if (format?.case === 'jsonSchema') size.bytes += Buffer.byteLength(format.value.schemaJson);
  return size;
}

function add(size: { bytes: number; mediaTokens: number }, { part }: Part): void {
  switch (part.case) {
    case 'text':
      size.bytes += Buffer.byteLength(part.value);
      break;
    case 'reasoning':
      size.bytes += Buffer.byteLength(part.value.text);
      break;
    case 'toolCall':
      size.bytes += Buffer.byteLength(part.value.name) + Buffer.byteLength(part.value.argumentsJson);
      break;
    case 'toolResult':
      for (const inner of part.value.content) add(size, inner);
      break;
    case 'image':
      size.mediaTokens += TOKENS_OF_IMAGE;
      break;
    case 'file': {
      const { data, mediaType } = part.value;
      if (TEXT.test(mediaType)) size.bytes += data.length;
      else size.mediaTokens += Math.ceil(data.length / FILE_BYTES_PER_TOKEN);
      break;
    }
    case undefined:
      break;
  }
}
