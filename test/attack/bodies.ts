import { create, toBinary } from '@bufbuild/protobuf';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema, StreamChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import { say } from '../support/chat-samples.ts';

/** Bytes that a request may have, a little less (20 MiB). */
const MOST = 20 * 1024 * 1024 - 4_096;

/** Field of ChatRequest, and its tag for a length-delimited value. */
const MESSAGES = tag(1);
const OPTIONS = tag(3);
const LABELS = tag(7);
/** Field of GenerationOptions. */
const PROVIDER_OPTIONS = tag(12);

/** A good request of Chat; `targets` are asked alone, in place of the mock. */
export function chatBytes({ model = '', targets = [] }: Asked = {}): Uint8Array {
  const messages = [say(Role.USER, 'hello')];
  return toBinary(
    ChatRequestSchema,
    create(ChatRequestSchema, { messages, model, routing: { targets: [...targets] } }),
  );
}

/** A good request of StreamChat. */
export function streamChatBytes({ model = '', targets = [] }: Asked = {}): Uint8Array {
  const messages = [say(Role.USER, 'hello')];
  const request = { messages, model, routing: { targets: [...targets] } };
  return toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, request));
}

interface Asked {
  /** A model of the mock, for what it does. */
  readonly model?: string;
  readonly targets?: readonly string[];
}

/** Small bytes that are dear to decode, each in a message of at most 20 MiB, by what there is too much of. */
export const DEAR_BODIES = {
  messages: () => repeated(Buffer.from([MESSAGES, 0])),
  parts: () => lengthDelimited(MESSAGES, repeated(Buffer.from([0x12, 0]), MOST - 16)),
  labels: () => repeated(Buffer.from([LABELS, 7, 0x0a, 1, 0x61, 0x12, 2, 0x62, 0x62])),
  'unknown fields': () => repeated(Buffer.from([0xa0, 0x06, 1])),
  depth: () => lengthDelimited(OPTIONS, lengthDelimited(PROVIDER_OPTIONS, nestedStruct(200_000))),
} as const satisfies Record<string, () => Buffer>;

/** The same in JSON. */
export const DEAR_JSON = {
  messages: () => `{"messages":[${'{},'.repeat(6_000_000)}{}]}`,
  labels: () => `{"prompt":"x","labels":{${Array.from({ length: 1_000_000 }, (_, at) => `"k${at}":"v"`).join(',')}}}`,
  'unknown fields': () => `{"prompt":"x"${',"y":1'.repeat(3_000_000)}}`,
  depth: () => `{"prompt":"x","options":{"providerOptions":{"a":{"b":${'['.repeat(500_000)}${']'.repeat(500_000)}}}}}`,
} as const satisfies Record<string, () => string>;

function tag(field: number): number {
  return field * 8 + 2;
}

function repeated(unit: Buffer, most: number = MOST): Buffer {
  return Buffer.alloc(Math.floor(most / unit.length) * unit.length, unit);
}

function lengthDelimited(fieldTag: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([fieldTag, ...varint(value.byteLength)]), value]);
}

/** An entry of `provider_options` whose value is a list in a list in a list. */
function nestedStruct(depth: number): Buffer {
  const heads: number[][] = [];
  let size = 0;
  for (let level = 0; level < depth; level += 1) {
    // google.protobuf.Value.list_value (6), in ListValue.values (1), by turns.
    const head = [tag(level % 2 === 0 ? 6 : 1), ...varint(size)];
    heads.push(head);
    size += head.length;
  }
  const value = Buffer.from(heads.toReversed().flat());
  const entry = Buffer.concat([lengthDelimited(tag(1), Buffer.from('b')), lengthDelimited(tag(2), value)]);
  const struct = lengthDelimited(tag(1), entry);
  return Buffer.concat([lengthDelimited(tag(1), Buffer.from('a')), lengthDelimited(tag(2), struct)]);
}

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let left = value;
  while (left > 127) {
    bytes.push((left % 128) + 128);
    left = Math.floor(left / 128);
  }
  return [...bytes, left];
}
