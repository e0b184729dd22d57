import type { Attributes } from '@opentelemetry/api';

import type { GenerationOptions } from '../../../gen/understudy/v1/chat_pb.ts';
import type { TokenUsage } from '../../core/ports.ts';
import type { CallEnd } from '../../server/port/gateway-port.ts';
import { boundedLabels } from '../report/bounded-labels.ts';
import { boundedText } from '../report/bounded-text.ts';
import type { CallCost, CallReport, EndedAttempt } from '../report/call-report.ts';
import { genAiProvider, OPERATION } from '../report/gen-ai.ts';
import { rpcMethod } from '../report/rpc-method.ts';
import type { TraceHead } from './begun-trace.ts';

/** Bounds what callers and providers have chosen. */
const MAX_TEXT = 256;

// Names are written out where they are set: an object that is put together by a loop costs several times as much.

/**
 * Builds the attributes of a call's span: those of RPC, and of generative AI what the caller has asked for and been given. Tokens and the
 * name of the operation are those of its attempts, so that whoever adds spans up counts nothing twice.
 */
export function callAttributes(end: CallReport, { system }: Pick<TraceHead, 'system'>): Attributes {
  const { outcome, serving, requestedModel, caller } = end;
  const attributes: Attributes = {
    'rpc.system.name': system,
    'rpc.method': rpcMethod(end.method),
    'rpc.status_code': outcome.status,
    'gen_ai.request.stream': end.method === 'StreamChat',
    'understudy.request_id': end.requestId,
  };
  if (outcome.reason !== undefined) attributes['error.type'] = outcome.reason;
  if (requestedModel !== '') attributes['gen_ai.request.model'] = boundedText(requestedModel, MAX_TEXT);
  if (serving !== undefined) {
    attributes['gen_ai.provider.name'] = genAiProvider(serving.provider);
    attributes['gen_ai.response.model'] = boundedText(serving.model, MAX_TEXT);
    attributes['understudy.target'] = serving.target;
  }
  if (caller !== undefined) attributes['understudy.caller'] = caller.name;
  if (caller?.group !== undefined) attributes['understudy.caller_group'] = caller.group;
  if (end.skipsLeftOut > 0) attributes['understudy.skips_left_out'] = end.skipsLeftOut;
  addCost(attributes, end.cost);
  for (const [key, value] of boundedLabels(end.labels)) attributes[`understudy.labels.${key}`] = value;
  return attributes;
}

/** Builds the attributes of an attempt's span: one operation of a model at its provider. */
export function attemptAttributes({ record, cost }: EndedAttempt, { method, request, result }: CallEnd): Attributes {
  const { entry, failure, usage, firstOutputMs, circuit } = record;
  const streams = method === 'StreamChat';
  const attributes: Attributes = {
    'gen_ai.operation.name': OPERATION,
    'gen_ai.provider.name': genAiProvider(entry.provider),
    'gen_ai.request.model': boundedText(entry.model, MAX_TEXT),
    'gen_ai.request.stream': streams,
    'understudy.target': entry.target,
    'understudy.attempt.number': record.number,
    'understudy.attempt.kind': record.kind,
  };
  if (request.options !== undefined) addOptions(attributes, request.options);
  if (record.reportedModel !== undefined)
    attributes['gen_ai.response.model'] = boundedText(record.reportedModel, MAX_TEXT);
  if (streams && firstOutputMs !== undefined) {
    attributes['gen_ai.response.time_to_first_chunk'] = Math.round(firstOutputMs * 1_000) / 1e6;
  }
  if (usage !== undefined) addUsage(attributes, usage);
  if (result.ok && result.serving.number === record.number) {
    const { reason, responseId } = result.final;
    attributes['gen_ai.response.finish_reasons'] = [reason.toLowerCase()];
    if (responseId !== undefined) attributes['gen_ai.response.id'] = boundedText(responseId, MAX_TEXT);
  }
  if (failure !== undefined) {
    attributes['error.type'] = failure.reason;
    attributes['understudy.attempt.phase'] = record.phase;
    if (failure.providerCode !== undefined) attributes['understudy.provider_code'] = failure.providerCode;
  }
  const status = failure?.httpStatus ?? record.httpStatus;
  if (status !== undefined) attributes['http.response.status_code'] = status;
  if (circuit !== undefined && circuit.state !== 'CLOSED') attributes['understudy.circuit.state'] = circuit.state;
  const { providerRequestId } = record;
  if (providerRequestId !== undefined)
    attributes['understudy.provider_request_id'] = boundedText(providerRequestId, MAX_TEXT);
  addCost(attributes, cost);
  return attributes;
}

/** Builds the attributes of the event that an entry of the chain was passed over. */
export function skipAttributes({ record: { entry, failure, number } }: EndedAttempt): Attributes {
  return {
    'gen_ai.request.model': boundedText(entry.model, MAX_TEXT),
    'understudy.target': entry.target,
    'understudy.attempt.number': number,
    ...(failure && { 'error.type': failure.reason }),
  };
}

/** What the caller asks of the answer, as far as it says nothing of the prompt. */
function addOptions(attributes: Attributes, options: GenerationOptions): void {
  const { maxTokens, temperature, topP, presencePenalty, frequencyPenalty, seed, responseFormat } = options;
  if (maxTokens !== undefined) attributes['gen_ai.request.max_tokens'] = maxTokens;
  if (temperature !== undefined) attributes['gen_ai.request.temperature'] = temperature;
  if (topP !== undefined) attributes['gen_ai.request.top_p'] = topP;
  if (presencePenalty !== undefined) attributes['gen_ai.request.presence_penalty'] = presencePenalty;
  if (frequencyPenalty !== undefined) attributes['gen_ai.request.frequency_penalty'] = frequencyPenalty;
  if (Number.isSafeInteger(Number(seed))) attributes['gen_ai.request.seed'] = Number(seed);
  const format = responseFormat?.format.case;
  if (format !== undefined) attributes['gen_ai.output.type'] = format === 'text' ? 'text' : 'json';
}

/** Parts of the tokens are told of where there are any. */
function addUsage(attributes: Attributes, usage: TokenUsage): void {
  const { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, reasoningTokens } = usage;
  if (inputTokens !== undefined) attributes['gen_ai.usage.input_tokens'] = inputTokens;
  if (outputTokens !== undefined) attributes['gen_ai.usage.output_tokens'] = outputTokens;
  if (cachedInputTokens) attributes['gen_ai.usage.cache_read.input_tokens'] = cachedInputTokens;
  if (cacheWriteTokens) attributes['gen_ai.usage.cache_creation.input_tokens'] = cacheWriteTokens;
  if (reasoningTokens) attributes['gen_ai.usage.reasoning.output_tokens'] = reasoningTokens;
}

function addCost(attributes: Attributes, cost: CallCost | undefined): void {
  if (cost === undefined) return;
  attributes['understudy.cost.source'] = cost.source;
  if (cost.nanoUsd !== undefined) attributes['understudy.cost.nano_usd'] = Number(cost.nanoUsd);
}
