import { create } from '@bufbuild/protobuf';

import { MessageSchema, Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { GenerationOptions, Message } from '../../gen/understudy/v1/chat_pb.ts';
import type { Delta, Finish, FinishReason } from '../core/answer.ts';
import type { Failure } from '../core/failure.ts';
import { exceedsJsonBounds } from '../core/json-bounds.ts';
import type { AttemptSink } from '../core/ports.ts';
import type { AnswerCheck } from './json-schema.ts';
import { answerCheck } from './json-schema.ts';
import { TOO_DEEP } from './json-text.ts';

/** The form that a request asks of its answer, and what follows where a complete answer does not have it. */
export interface AnswerForm {
  readonly check: AnswerCheck;
  /** Whether such an answer counts as a failed attempt; otherwise it is returned with a warning. */
  readonly isStrict: boolean;
  /** The schema, where the caller wants the model asked once more. */
  readonly repairSchema: string | undefined;
}

/** A complete answer that the request did not ask for. */
export const MISMATCH: Failure = {
  class: 'mismatch',
  reason: 'SCHEMA_MISMATCH',
  message: 'The answer does not match the schema of the request.',
};

/** How an answer ends that is whole: others are cut off, refused or no answer yet. */
const WHOLE: ReadonlySet<FinishReason> = new Set(['STOP', 'OTHER']);

/** Returns the form that a request asks for; undefined where any text will do. */
export function formOf(options: GenerationOptions | undefined): AnswerForm | undefined {
  const format = options?.responseFormat?.format;
  if (format?.case === 'jsonObject') return { check: checkObject, isStrict: false, repairSchema: undefined };
  if (format?.case !== 'jsonSchema') return undefined;
  const { schemaJson, strict, repair } = format.value;
  const check = answerCheck(schemaJson);
  if (typeof check !== 'function') throw new Error('The request was not validated.');
  return { check, isStrict: strict, repairSchema: repair ? schemaJson : undefined };
}

/**
 * Checks a whole answer when it ends, and puts what is wrong with it into its end; `onMismatch` gets its text. Nothing is held
 * back, and an answer that was cut off, refused, or calls tools is not checked.
 */
export function withFormCheck(
  sink: AttemptSink<Delta, Finish>,
  check: AnswerCheck,
  onMismatch: (text: string) => void,
): AttemptSink<Delta, Finish> {
  const texts: string[] = [];
  let callsTools = false;
  return (event) => {
    if (event.type === 'output') {
      if (event.value.kind === 'text') texts.push(event.value.text);
      else if (event.value.kind === 'tool_call') callsTools = true;
    } else if (event.type === 'terminal' && WHOLE.has(event.final.reason) && !callsTools) {
      const text = texts.join('');
      const mismatch = check(text);
      if (mismatch !== undefined) {
        onMismatch(text);
        sink({ type: 'terminal', final: { ...event.final, mismatch } });
        return;
      }
    }
    sink(event);
  };
}

/** Makes the turn in which a model is asked to mend its answer: the only words of ours that ever reach a model. */
export function repairTurn(answer: string, mismatch: string, schemaJson: string): readonly Message[] {
  const request =
    `Your answer does not match the JSON Schema below: ${mismatch}. ` +
    `Write the whole answer again as JSON that matches it, and nothing else.\n\n${schemaJson}`;
  const asked = say(Role.USER, request);
  return answer === '' ? [asked] : [say(Role.ASSISTANT, answer), asked];
}

function say(role: Role, text: string): Message {
  return create(MessageSchema, { role, content: [{ part: { case: 'text', value: text } }] });
}

function checkObject(json: string): string | undefined {
  if (exceedsJsonBounds(json)) return TOO_DEEP;
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'it is no JSON object';
  } catch {
    return 'it is not JSON';
  }
}
