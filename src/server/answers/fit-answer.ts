import type { Part } from '../../../gen/understudy/v1/chat_pb.ts';
import type { ChatResponse, GenerateResponse } from '../../../gen/understudy/v1/llm_pb.ts';

/** What an answer has besides its content, in bytes: trail, metadata, warnings and the frames of its parts. */
const REST_BYTES = 256 * 1024;

/** UTF-8 takes at most so many bytes for what is one character in JavaScript. */
const BYTES_PER_CHARACTER = 3;

/**
 * Makes an answer fit into a message of `maxBytes`. The text of Chat stands in it twice; where it would not fit so, it is left
 * out of `text`, in place, which `metadata` tells. Returns false where the answer does not fit in any case.
 */
export function fitAnswer(response: ChatResponse | GenerateResponse, maxBytes: number): boolean {
  const content = 'message' in response ? (response.message?.content ?? []) : [];
  // Most answers are so short that nobody has to count their bytes.
  if (charactersOf(response.text, content) * BYTES_PER_CHARACTER + REST_BYTES <= maxBytes) return true;
  const textBytes = Buffer.byteLength(response.text);
  let contentBytes = 0;
  for (const part of content) contentBytes += bytesOf(part);
  const room = maxBytes - REST_BYTES;
  if (textBytes + contentBytes <= room) return true;
  if (content.length === 0 || contentBytes > room) return false;
  response.text = '';
  response.metadata['text_left_out'] = 'true';
  return true;
}

function charactersOf(text: string, content: readonly Part[]): number {
  let characters = text.length;
  for (const { part, providerState } of content) {
    characters += providerState?.data.byteLength ?? 0;
    if (part.case === 'text') characters += part.value.length;
    else if (part.case === 'reasoning') characters += part.value.text.length;
    else if (part.case === 'toolCall') characters += part.value.argumentsJson.length;
  }
  return characters;
}

function bytesOf({ part, providerState }: Part): number {
  const state = providerState?.data.byteLength ?? 0;
  if (part.case === 'text') return state + Buffer.byteLength(part.value);
  if (part.case === 'reasoning') return state + Buffer.byteLength(part.value.text);
  return part.case === 'toolCall' ? state + Buffer.byteLength(part.value.argumentsJson) : state;
}
