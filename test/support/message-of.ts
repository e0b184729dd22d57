import type { MessageInitShape } from '@bufbuild/protobuf';
import type { MessageSchema, PartSchema } from '../../gen/understudy/v1/chat_pb.ts';
import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { AdapterEvent } from '../../src/providers/adapter.ts';
import { deltas } from './chat-samples.ts';

type PartInit = MessageInitShape<typeof PartSchema>;

interface Piece {
  kind: 'text' | 'reasoning' | 'tool_call';
  text: string;
  id: string;
  name: string;
  state: Uint8Array<ArrayBuffer> | undefined;
}

/** Puts the message together that a caller sends back, from what an adapter read of an answer of `target`. */
export function messageOf(events: readonly AdapterEvent[], target: string): MessageInitShape<typeof MessageSchema> {
  const pieces: Piece[] = [];
  for (const delta of deltas(events)) {
    pieces[delta.index] ??= { kind: 'reasoning', text: '', id: '', name: '', state: undefined };
    const piece = pieces[delta.index];
    if (piece === undefined) continue;
    if (delta.kind === 'part_finished') {
      piece.state = delta.state === undefined ? undefined : new Uint8Array(delta.state);
      continue;
    }
    piece.kind = delta.kind;
    if (delta.kind === 'tool_call') {
      piece.id += delta.id ?? '';
      piece.name += delta.name ?? '';
      piece.text += delta.argumentsFragment;
    } else {
      piece.text += delta.text;
    }
  }
  return { role: Role.ASSISTANT, content: pieces.map((piece) => partOf(piece, target)) };
}

function partOf({ kind, text, id, name, state }: Piece, target: string): PartInit {
  const kept = state === undefined ? {} : { providerState: { target, data: state } };
  if (kind === 'text') return { part: { case: 'text', value: text }, ...kept };
  if (kind === 'reasoning') return { part: { case: 'reasoning', value: { text } }, ...kept };
  return { part: { case: 'toolCall', value: { id, name, argumentsJson: text } }, ...kept };
}
