import { create } from '@bufbuild/protobuf';
import {
  FinishReason,
  type Message,
  MessageSchema,
  type Part,
  PartSchema,
  Role,
} from '../../gen/understudy/v1/chat_pb.ts';
import {
  type ChatResponse,
  ChatResponseSchema,
  type GenerateResponse,
  GenerateResponseSchema,
  type StreamChatResponse_Finished,
  StreamChatResponse_FinishedSchema,
} from '../../gen/understudy/v1/llm_pb.ts';
import { type Warning, WarningCode, WarningSchema } from '../../gen/understudy/v1/routing_pb.ts';
import type { Delta, Finish } from '../core/answer.ts';
import type { CallResult } from '../engine/call.ts';
import { describeUsage, totalTokens, type Trail } from './attempts.ts';

/** The good end of a request. */
export type CallSuccess = Extract<CallResult<Delta, Finish>, { ok: true }>;

/** What an answer says besides the engine's result. */
export interface AnswerContext {
  readonly requestId: string;
  /** The model that the request names; empty for none. */
  readonly requestedModel: string;
  readonly trail: Trail;
  /** What the plan left undone. */
  readonly warnings: readonly Warning[];
}

/** Makes the response of Chat. */
export function chatResponse(result: CallSuccess, context: AnswerContext): ChatResponse {
  const message = assembleMessage(result.outputs, result.serving.target);
  return create(ChatResponseSchema, { ...answerFields(result, context), text: joinText(message), message });
}

/** Makes the response of Generate. */
export function generateResponse(result: CallSuccess, context: AnswerContext): GenerateResponse {
  const message = assembleMessage(result.outputs, result.serving.target);
  return create(GenerateResponseSchema, { ...answerFields(result, context), text: joinText(message) });
}

/** Makes the last event of StreamChat. */
export function finishedEvent(result: CallSuccess, context: AnswerContext): StreamChatResponse_Finished {
  return create(StreamChatResponse_FinishedSchema, answerFields(result, context));
}

/** The fields that all three answers share. */
function answerFields(result: CallSuccess, context: AnswerContext) {
  const { serving, final } = result;
  const { attempts, cost } = context.trail;
  return {
    tokensUsed: totalTokens(result.usage),
    costUsd: cost?.nanoUsd === undefined ? undefined : Number(cost.nanoUsd) / 1e9,
    model: serving.model,
    provider: serving.provider,
    latencyMs: result.elapsedMs,
    metadata: metadataOf(result, context.requestedModel),
    target: serving.target,
    finishReason: FinishReason[final.reason],
    rawFinishReason: final.raw,
    usage: describeUsage(result.usage),
    cost,
    attempts,
    warnings: [...context.warnings, ...engineWarnings(result)],
    requestId: context.requestId,
  };
}

function metadataOf(result: CallSuccess, requestedModel: string): Record<string, string> {
  const metadata: Record<string, string> = {};
  if (result.final.responseId !== undefined) metadata['response_id'] = result.final.responseId;
  const { target, model, requestedModel: sent } = result.serving;
  const asked = [sent, `${target}/${sent}`, model];
  if (requestedModel !== '' && !asked.includes(requestedModel)) metadata['requested_model'] = requestedModel;
  return metadata;
}

function engineWarnings(result: CallSuccess): Warning[] {
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
  return warnings;
}

/** Joins the text parts of a message. */
function joinText(message: Message): string {
  return message.content.map((part) => (part.part.case === 'text' ? part.part.value : '')).join('');
}

/** A part while its pieces come. */
interface PartDraft {
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
  const drafts = new Map<number, PartDraft>();
  for (const delta of deltas) {
    if (delta.kind === 'part_finished' && delta.state === undefined) continue;
    const draft = drafts.get(delta.index) ?? newDraft(delta);
    drafts.set(delta.index, draft);
    addDelta(draft, delta);
  }
  const content = [...drafts].sort(([left], [right]) => left - right).map(([, draft]) => partOf(draft, target));
  return create(MessageSchema, { role: Role.ASSISTANT, content });
}

function newDraft(delta: Delta): PartDraft {
  const kind = delta.kind === 'part_finished' ? 'reasoning' : delta.kind;
  return { kind, id: '', name: '', pieces: [], state: undefined };
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
  const body = draft.pieces.join('');
  const { id, name, state } = draft;
  const providerState = state === undefined ? {} : { providerState: { target, data: state } };
  if (draft.kind === 'text') return create(PartSchema, { part: { case: 'text', value: body }, ...providerState });
  if (draft.kind === 'reasoning') {
    return create(PartSchema, { part: { case: 'reasoning', value: { text: body } }, ...providerState });
  }
  return create(PartSchema, { part: { case: 'toolCall', value: { id, name, argumentsJson: body } }, ...providerState });
}
