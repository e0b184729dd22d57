import { basename, extname } from 'node:path';

import type { MessageInitShape } from '@bufbuild/protobuf';

import { type MessageSchema, ReasoningEffort, Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { Recovery } from '../../../gen/understudy/v1/routing_pb.ts';
import type { AskFlags } from '../command-line.ts';
import { UsageError } from '../usage-error.ts';
import { readTextFile } from '../connection/gateway-connection.ts';

/** A message to send. */
export type MessageToSend = MessageInitShape<typeof MessageSchema>;

/**
 * Makes what flags say of a request. Ranges and names are the gateway's to judge.
 *
 * @param conversation - names the conversation, which then stays with the target that answers it
 * @throws UsageError where the file of `--schema` is none of JSON
 */
export function requestOfFlags(flags: AskFlags, conversation?: string) {
  const {
    system = '',
    model = '',
    route = '',
    target = [],
    maxTokens,
    temperature,
    reasoningEffort,
    schema,
    strict,
  } = flags;
  return {
    system,
    model,
    options: {
      ...(maxTokens !== undefined && { maxTokens }),
      ...(temperature !== undefined && { temperature }),
      ...(reasoningEffort !== undefined && { reasoningEffort: effortOf(reasoningEffort) }),
      ...(schema !== undefined && { responseFormat: formatOf(schema, strict ?? false) }),
    },
    routing: { route, targets: [...target], ...(conversation !== undefined && { affinityKey: conversation }) },
    recovery: flags.restart ? Recovery.RESTART : Recovery.UNSPECIFIED,
  };
}

/** Makes the messages of a conversation: the instructions, where there are some, what was said, and what is said now. */
export function messagesOf(system: string, earlier: readonly MessageToSend[], prompt: string): MessageToSend[] {
  const instructions = system === '' ? [] : [textMessage(Role.SYSTEM, system)];
  return [...instructions, ...earlier, textMessage(Role.USER, prompt)];
}

function textMessage(role: Role, text: string): MessageToSend {
  return { role, content: [{ part: { case: 'text', value: text } }] };
}

function effortOf(level: string): ReasoningEffort {
  const efforts: Readonly<Record<string, ReasoningEffort | string>> = ReasoningEffort;
  const effort = efforts[level.toUpperCase()];
  if (typeof effort !== 'number') throw new UsageError('--reasoning-effort has no such level');
  return effort;
}

function formatOf(path: string, strict: boolean) {
  const schemaJson = readTextFile('--schema', path);
  try {
    JSON.parse(schemaJson);
  } catch {
    throw new UsageError(`--schema: ${JSON.stringify(path)} is not JSON`);
  }
  const name = basename(path, extname(path))
    .replaceAll(/[^\w-]+/g, '_')
    .slice(0, 64);
  return { format: { case: 'jsonSchema' as const, value: { name: name || 'answer', schemaJson, strict } } };
}
