import type { Attributes } from '@opentelemetry/api';

import type { GenerationOptions } from '../../../gen/understudy/v1/chat_pb.ts';
import type { CallEnd } from '../../server/port/gateway-port.ts';
import { boundedLabels } from '../report/bounded-labels.ts';
import type { CallCost, CallReport, EndedAttempt } from '../report/call-report.ts';
import { genAiProvider, OPERATION } from '../report/gen-ai.ts';
import { rpcMethod } from '../report/rpc-method.ts';
import type { TraceHead } from './begun-trace.ts';

/** Bounds what callers and providers have chosen. */
const MAX_TEXT = 256;

/** Values of attributes by their names; what is undefined does not appear. */
type Fields = Readonly<Record<string, Attributes[string]>>;

/**
 * Builds the attributes of a call's span: those of RPC, and of generative AI what the caller has asked for and been given. Tokens and the
 * name of the operation are those of its attempts, so that whoever adds spans up counts nothing twice.
 */
export function callAttributes(end: CallReport, { system }: Pick<TraceHead, 'system'>): Attributes {
  const { outcome, serving, requestedModel } = end;
  return defined({
    'rpc.system.name': system,
    'rpc.method': rpcMethod(end.method),
    'rpc.status_code': outcome.status,
    'error.type': outcome.reason,
    'gen_ai.request.model': requestedModel === '' ? undefined : bounded(requestedModel),
    'gen_ai.request.stream': end.method === 'StreamChat',
    'gen_ai.provider.name': serving && genAiProvider(serving.provider),
    'gen_ai.response.model': serving && bounded(serving.model),
    'understudy.request_id': end.requestId,
    'understudy.caller': end.caller?.name,
    'understudy.caller_group': end.caller?.group,
    'understudy.target': serving?.target,
    'understudy.skips_left_out': end.skipsLeftOut === 0 ? undefined : end.skipsLeftOut,
    ...costFields(end.cost),
    ...labelFields(end.labels),
  });
}

/** Builds the attributes of an attempt's span: one operation of a model at its provider. */
export function attemptAttributes({ record, cost }: EndedAttempt, { method, request, result }: CallEnd): Attributes {
  const { entry, failure, usage, firstOutputMs, circuit } = record;
  const serving = result.ok && result.serving.number === record.number ? result.final : undefined;
  const streams = method === 'StreamChat';
  return defined({
    'gen_ai.operation.name': OPERATION,
    'gen_ai.provider.name': genAiProvider(entry.provider),
    'gen_ai.request.model': bounded(entry.model),
    'gen_ai.request.stream': streams,
    ...optionFields(request.options),
    'gen_ai.response.id': serving?.responseId && bounded(serving.responseId),
    'gen_ai.response.model': record.reportedModel && bounded(record.reportedModel),
    'gen_ai.response.finish_reasons': serving && [serving.reason.toLowerCase()],
    'gen_ai.response.time_to_first_chunk': streams && firstOutputMs !== undefined ? firstOutputMs / 1_000 : undefined,
    'gen_ai.usage.input_tokens': usage?.inputTokens,
    'gen_ai.usage.cache_read.input_tokens': usage?.cachedInputTokens,
    'gen_ai.usage.cache_creation.input_tokens': usage?.cacheWriteTokens,
    'gen_ai.usage.output_tokens': usage?.outputTokens,
    'gen_ai.usage.reasoning.output_tokens': usage?.reasoningTokens,
    'error.type': failure?.reason,
    'http.response.status_code': failure?.httpStatus ?? record.httpStatus,
    'understudy.target': entry.target,
    'understudy.attempt.number': record.number,
    'understudy.attempt.kind': record.kind,
    'understudy.attempt.phase': record.phase,
    'understudy.circuit.state': circuit?.state,
    'understudy.provider_code': failure?.providerCode,
    'understudy.provider_request_id': record.providerRequestId && bounded(record.providerRequestId),
    ...costFields(cost),
  });
}

/** Builds the attributes of the event that an entry of the chain was passed over. */
export function skipAttributes({ record: { entry, failure, number } }: EndedAttempt): Attributes {
  return defined({
    'error.type': failure?.reason,
    'gen_ai.request.model': bounded(entry.model),
    'understudy.target': entry.target,
    'understudy.attempt.number': number,
  });
}

/** What the caller asks of the answer, as far as it says nothing of the prompt. */
function optionFields(options: GenerationOptions | undefined): Fields {
  if (options === undefined) return {};
  const seed = Number(options.seed ?? Number.NaN);
  const format = options.responseFormat?.format.case;
  return {
    'gen_ai.request.max_tokens': options.maxTokens,
    'gen_ai.request.temperature': options.temperature,
    'gen_ai.request.top_p': options.topP,
    'gen_ai.request.presence_penalty': options.presencePenalty,
    'gen_ai.request.frequency_penalty': options.frequencyPenalty,
    'gen_ai.request.seed': Number.isSafeInteger(seed) ? seed : undefined,
    'gen_ai.output.type': format === undefined || format === 'text' ? format : 'json',
  };
}

function costFields(cost: CallCost | undefined): Fields {
  return {
    'understudy.cost.nano_usd': cost?.nanoUsd === undefined ? undefined : Number(cost.nanoUsd),
    'understudy.cost.source': cost?.source,
  };
}

function labelFields(labels: CallReport['labels']): Fields {
  const fields: Record<string, string> = {};
  for (const [key, value] of boundedLabels(labels)) fields[`understudy.labels.${key}`] = value;
  return fields;
}

function defined(fields: Fields): Attributes {
  const attributes: Attributes = {};
  for (const name in fields) if (fields[name] !== undefined) attributes[name] = fields[name];
  return attributes;
}

function bounded(text: string): string {
  return text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text;
}
