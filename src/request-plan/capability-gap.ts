import type { Part } from '../../gen/understudy/v1/chat_pb.ts';
import type { Failure } from '../core/failure.ts';
import type { ModelFacts } from '../providers/port/model-facts.ts';
import { contextLengthExceeded, unsupported } from '../providers/shared/provider-failure.ts';
import type { PlanRequest } from '../server/port/gateway-port.ts';

/**
 * How far the estimate of a prompt must be above a window before the model is passed over: it goes by bytes and may be half off, and
 * a provider's own refusal costs less than a model that could have answered.
 */
const SURE = 1.5;

/**
 * Returns what a request needs and a model is known not to have, as a failure that names the field; undefined where it may be able to
 * (engine rule A4). `promptTokens` is the estimate of the text, tools and schemas, without images and files. Where a model has JSON in
 * one form, adapters know ways to the other. Nothing is known of what is not in the facts.
 */
export function capabilityGap(
  request: Pick<PlanRequest, 'messages' | 'tools' | 'options'>,
  promptTokens: number,
  { contextWindow, capabilities }: ModelFacts,
): Failure | undefined {
  if (contextWindow !== undefined && promptTokens > SURE * contextWindow)
    return contextLengthExceeded({ field: 'messages' });
  if (capabilities === undefined) return undefined;
  if (request.tools.length > 0 && !capabilities.has('tools')) return unsupported('tools', 'The model has no tools.');
  const format = request.options?.responseFormat?.format.case;
  const asksForJson = format === 'jsonObject' || format === 'jsonSchema';
  if (asksForJson && !capabilities.has('json_object') && !capabilities.has('json_schema'))
    return unsupported('options.response_format', 'The model has no answers in JSON.');
  if (capabilities.has('image_input') && capabilities.has('file_input')) return undefined;
  for (const [index, { content }] of request.messages.entries()) {
    // Most have text alone; no place need be written for them.
    if (!content.some(mayHoldMedia)) continue;
    const gap = mediaGap(content, `messages[${index}]`, capabilities);
    if (gap !== undefined) return gap;
  }
  return undefined;
}

function mayHoldMedia({ part }: Part): boolean {
  return part.case === 'image' || part.case === 'file' || part.case === 'toolResult';
}

function mediaGap(
  content: readonly Part[],
  place: string,
  capabilities: NonNullable<ModelFacts['capabilities']>,
): Failure | undefined {
  for (const [index, { part }] of content.entries()) {
    const at = `${place}.content[${index}]`;
    if (part.case === 'image' && !capabilities.has('image_input'))
      return unsupported(`${at}.image`, 'The model reads no images.');
    if (part.case === 'file' && !capabilities.has('file_input'))
      return unsupported(`${at}.file`, 'The model reads no files.');
    const within =
      part.case === 'toolResult' ? mediaGap(part.value.content, `${at}.tool_result`, capabilities) : undefined;
    if (within !== undefined) return within;
  }
  return undefined;
}
