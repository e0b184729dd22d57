import { create } from '@bufbuild/protobuf';
import {
  FinishReason,
  type Message,
  MessageSchema,
  type Part,
  PartSchema,
  ProviderStateSchema,
  ReasoningSchema,
  Role,
  ToolCallSchema,
} from '../../../gen/understudy/v1/chat_pb.ts';
import {
  type ChatResponse,
  ChatResponseSchema,
  type GenerateResponse,
  GenerateResponseSchema,
  type StreamChatResponse_Finished,
  StreamChatResponse_FinishedSchema,
} from '../../../gen/understudy/v1/llm_pb.ts';
import { type Warning, WarningCode, WarningSchema } from '../../../gen/understudy/v1/routing_pb.ts';
import { UsageSource } from '../../../gen/understudy/v1/usage_pb.ts';
import type { AnswerDoubt, Delta, Finish } from '../../core/answer.ts';
import { roundedMs } from '../../core/formats/rounded-ms.ts';
import type { CallSuccess } from '../../engine/port/call.ts';
import type { PricedTrail } from '../port/gateway-port.ts';
import { describeUsage, totalTokens } from './attempt-trail.ts';

/** The good end of a request. */
export type AnsweredCall = CallSuccess<Delta, Finish>;

/** What an answer says besides the engine's result. */
export interface AnswerContext {
  readonly requestId: string;
  /** The model that the request names; empty for none. */
  readonly requestedModel: string;
  readonly trail: PricedTrail;
  /** What the plan left undone. */
  readonly warnings: readonly Warning[];
}

/** Makes the response of Chat. */
export function chatResponse(result: AnsweredCall, context: AnswerContext): ChatResponse {
  const message = assembleMessage(result.outputs, result.serving.target);
  const fields = answerFields(result, context);
  return { ...fields, $typeName: ChatResponseSchema.typeName, text: joinText(message), message };
}

/** Makes the response of Generate. */
export function generateResponse(result: AnsweredCall, context: AnswerContext): GenerateResponse {
  const message = assembleMessage(result.outputs, result.serving.target);
  return { ...answerFields(result, context), $typeName: GenerateResponseSchema.typeName, text: joinText(message) };
}

/** Makes the last event of StreamChat. */
export function finishedEvent(result: AnsweredCall, context: AnswerContext): StreamChatResponse_Finished {
  return { ...answerFields(result, context), $typeName: StreamChatResponse_FinishedSchema.typeName };
}

/** The fields that all three answers share. */
function answerFields(result: AnsweredCall, context: AnswerContext) {
  const { serving, final } = result;
  const { attempts, cost } = context.trail;
  // The last attempt is the one that answered.
  const told = attempts.at(-1)?.usage;
  const estimated = told?.source === UsageSource.ESTIMATED ? told : undefined;
  return {
    tokensUsed: estimated === undefined ? totalTokens(result.usage) : undefined,
    costUsd: cost?.nanoUsd === undefined ? undefined : Number(cost.nanoUsd) / 1e9,
    model: serving.model,
    provider: serving.provider,
    latencyMs: roundedMs(result.elapsedMs),
    metadata: answerMetadata(result, context.requestedModel),
    target: serving.target,
    finishReason: FinishReason[final.reason],
    rawFinishReason: final.raw,
    usage: estimated ?? describeUsage(result.usage),
    cost,
    attempts,
    warnings: context.warnings.concat(engineWarnings(result)),
    requestId: context.requestId,
  };
}

function answerMetadata(result: AnsweredCall, requestedModel: string): Record<string, string> {
  const metadata: Record<string, string> = {};
  if (result.final.responseId !== undefined) metadata['response_id'] = result.final.responseId;
  const { target, model, requestedModel: sent } = result.serving;
  const isAsAsked = requestedModel === sent || requestedModel === model || requestedModel === `${target}/${sent}`;
  if (requestedModel !== '' && !isAsAsked) metadata['requested_model'] = requestedModel;
  if (result.skipsLeftOut > 0) metadata['skips_left_out'] = String(result.skipsLeftOut);
  return metadata;
}

/** What a caller is told of an answer that may lack something. */
const DOUBTS = {
  unknown_finish_reason: {
    code: WarningCode.UNKNOWN_FINISH_REASON,
    message: 'The provider did not say in a known word why the answer has ended.',
  },
  unknown_output: {
    code: WarningCode.OUTPUT_DROPPED,
    message: 'A part of the answer is of a kind that the gateway does not know, and was left out.',
  },
} as const satisfies Record<AnswerDoubt, { code: WarningCode; message: string }>;

function engineWarnings(result: AnsweredCall): Warning[] {
  const warnings: Warning[] = [];
  if (result.deadlineClamped) {
    const message = 'The deadline was shortened to the longest that is allowed.';
    warnings.push(create(WarningSchema, { code: WarningCode.DEADLINE_CLAMPED, message }));
  }
  if (result.empty) {
    const { target } = result.serving;
    const message = 'The provider ended without any output.';
    warnings.push(create(WarningSchema, { code: WarningCode.EMPTY_OUTPUT, target, message }));
  }
  for (const doubt of result.final.doubts ?? []) {
    const { target } = result.serving;
    warnings.push(create(WarningSchema, { ...DOUBTS[doubt], target }));
  }
  const { mismatch } = result.final;
  if (mismatch !== undefined) {
    const { target } = result.serving;
    const message = `The answer is not of the form that the request asks for: ${mismatch}.`;
    const field = 'options.response_format';
    warnings.push(create(WarningSchema, { code: WarningCode.SCHEMA_MISMATCH, field, target, message }));
  }
  return warnings;
}

/** Joins the text parts of a message. */
function joinText(message: Message): string {
  let text = '';
  for (const { part } of message.content) if (part.case === 'text') text += part.value;
  return text;
}

/** A part while its pieces come. */
interface PartDraft {
  readonly index: number;
  kind: 'text' | 'reasoning' | 'tool_call';
  id: string;
  name: string;
  /** Text, reasoning or arguments. */
  pieces: string[];
  state: Uint8Array | undefined;
}

/**
 * Puts an answer together from its pieces, in the order of their indexes. A part that has nothing but a state is reasoning
 * that its provider keeps to itself. The state carries the name of the target, the only one to which it may be sent back.
 */
export function assembleMessage(deltas: readonly Delta[], target: string): Message {
  const drafts: PartDraft[] = [];
  for (const delta of deltas) {
    if (delta.kind === 'part_finished' && delta.state === undefined) continue;
    addDelta(draftOf(drafts, delta), delta);
  }
  drafts.sort((left, right) => left.index - right.index);
  const content = drafts.map((draft) => partOf(draft, target));
  return { $typeName: MessageSchema.typeName, role: Role.ASSISTANT, content };
}

/** Finds the draft to which a piece belongs, most often the last one, or begins it. */
function draftOf(drafts: PartDraft[], delta: Delta): PartDraft {
  const begun = drafts.findLast((draft) => draft.index === delta.index);
  if (begun !== undefined) return begun;
  const draft = newDraft(delta);
  drafts.push(draft);
  return draft;
}

function newDraft(delta: Delta): PartDraft {
  const kind = delta.kind === 'part_finished' ? 'reasoning' : delta.kind;
  return { index: delta.index, kind, id: '', name: '', pieces: [], state: undefined };
}

function addDelta(draft: PartDraft, delta: Delta): void {
  switch (delta.kind) {
    case 'text':
    case 'reasoning':
      draft.pieces.push(delta.text);
      break;
    case 'tool_call':
      draft.id = delta.id ?? draft.id;
      draft.name = delta.name ?? draft.name;
      draft.pieces.push(delta.argumentsFragment);
      break;
    case 'part_finished':
      draft.state = delta.state;
      break;
  }
}

function partOf(draft: PartDraft, target: string): Part {
  const { state } = draft;
  return {
    $typeName: PartSchema.typeName,
    part: contentOf(draft),
    cacheBreakpoint: false,
    providerState: state === undefined ? undefined : create(ProviderStateSchema, { target, data: state }),
  };
}

function contentOf(draft: PartDraft): Part['part'] {
  const body = draft.pieces.join('');
  const { id, name } = draft;
  if (draft.kind === 'text') return { case: 'text', value: body };
  if (draft.kind === 'reasoning') return { case: 'reasoning', value: create(ReasoningSchema, { text: body }) };
  return { case: 'toolCall', value: create(ToolCallSchema, { id, name, argumentsJson: body }) };
}
