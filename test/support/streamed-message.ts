import type { StreamChatResponse } from '../../gen/understudy/v1/llm_pb.ts';
import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { PartInit } from './chat-parts.ts';
import { call, reasoning, text } from './chat-parts.ts';

/** A message as a caller sends it back. */
export interface StreamedMessage {
  role: Role;
  content: PartInit[];
}

/**
 * Puts the message of a stream together as callers do who send it back: by part index, with the state of each part. A part
 * that has a state alone is reasoning.
 */
export function streamedMessage(events: readonly StreamChatResponse[]): StreamedMessage {
  const parts: PartInit[] = [];
  const bodies = new Map<number, { body: string; id: string; name: string }>();
  for (const { event } of events) {
    switch (event.case) {
      case 'textDelta':
      case 'reasoningDelta': {
        const { partIndex } = event.value;
        const { body } = grow(bodies, partIndex, event.value.text);
        parts[partIndex] = event.case === 'textDelta' ? text(body) : reasoning(body);
        break;
      }
      case 'toolCallDelta': {
        const { partIndex, argumentsFragment, id, name } = event.value;
        const grown = grow(bodies, partIndex, argumentsFragment);
        grown.id ||= id;
        grown.name ||= name;
        parts[partIndex] = call(grown.id, grown.name, grown.body);
        break;
      }
      case 'partFinished': {
        const { partIndex, providerState } = event.value;
        if (providerState === undefined) break;
        parts[partIndex] = { ...(parts[partIndex] ?? reasoning('')), providerState };
        break;
      }
      case 'started':
      case 'ping':
      case 'restarted':
      case 'finished':
      case undefined:
        break;
    }
  }
  return { role: Role.ASSISTANT, content: parts };
}

function grow(bodies: Map<number, { body: string; id: string; name: string }>, index: number, piece: string) {
  const grown = bodies.get(index) ?? { body: '', id: '', name: '' };
  bodies.set(index, grown);
  grown.body += piece;
  return grown;
}
