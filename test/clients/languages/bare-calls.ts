import { readFileSync } from 'node:fs';
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ChannelCredentials, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { Client, credentials, Metadata } from '@grpc/grpc-js';

import { StatusSchema } from '../../../gen/google/rpc/status_pb.ts';
import type {
  StreamChatRequestSchema as StreamChatRequest,
  StreamChatResponse,
} from '../../../gen/understudy/v1/llm_pb.ts';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';

const SERVICE_CONFIG = readFileSync(new URL('../../../clients/service-config.json', import.meta.url), 'utf8');
const MAX_BYTES = 20 * 1_024 * 1_024;

/** Options of a call. */
interface Options {
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is needed of a method. */
interface Method<I extends DescMessage, O extends DescMessage> {
  readonly name: string;
  readonly input: I;
  readonly output: O;
  readonly parent: { readonly typeName: string };
}

function open(variable: string, config = SERVICE_CONFIG, tls?: ChannelCredentials): Client {
  const addresses = process.env[variable] ?? '';
  return new Client(tls === undefined ? `ipv4:${addresses}` : addresses, tls ?? credentials.createInsecure(), {
    'grpc.service_config': config,
    'grpc.max_receive_message_length': MAX_BYTES,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
  });
}

function metadataOf({ headers = {} }: Options): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

/** Calls a unary method. */
export function unary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  { parent, name, input, output }: Method<I, O>,
  init: MessageInitShape<I>,
  options: Options = {},
): Promise<MessageShape<O>> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `/${parent.typeName}/${name}`,
      (request: MessageShape<I>) => Buffer.from(toBinary(input, request)),
      (bytes: Buffer) => fromBinary(output, bytes),
      create(input, init),
      metadataOf(options),
      { deadline: Date.now() + (options.timeoutMs ?? 120_000) },
      (error, answer) => {
        if (error !== null || answer === undefined) reject(error ?? new Error('no answer'));
        else resolve(answer);
      },
    );
  });
}

/** Begins a StreamChat. */
export function streamChat(
  client: Client,
  init: MessageInitShape<typeof StreamChatRequest>,
): ClientReadableStream<StreamChatResponse> {
  const { parent, name, input, output } = LlmService.method.streamChat;
  return client.makeServerStreamRequest(
    `/${parent.typeName}/${name}`,
    (request: MessageShape<typeof input>) => Buffer.from(toBinary(input, request)),
    (bytes: Buffer) => fromBinary(output, bytes),
    create(input, init),
    new Metadata(),
    { deadline: Date.now() + 600_000 },
  );
}

/** Reads a stream to its end and applies restarts. */
export async function collect(stream: AsyncIterable<StreamChatResponse>): Promise<{ text: string; restarts: number }> {
  let [pieces, restarts, isFinished]: [{ sequence: bigint; text: string }[], number, boolean] = [[], 0, false];
  for await (const { event, sequence } of stream) {
    if (event.case === 'textDelta') pieces.push({ sequence, text: event.value.text });
    if (event.case === 'restarted') {
      const from = event.value.discardFromSequence;
      pieces = pieces.filter((piece) => piece.sequence < from);
      restarts += 1;
    }
    isFinished ||= event.case === 'finished';
  }
  if (!isFinished) throw new Error('the stream ended without finished');
  return { text: pieces.map(({ text }) => text).join(''), restarts };
}

/** Reads a detail of an error, if it has that one. */
export function detailOf<T extends DescMessage>(error: ServiceError, schema: T): MessageShape<T> | undefined {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!(bytes instanceof Buffer)) return undefined;
  const found = fromBinary(StatusSchema, bytes).details.find(({ typeUrl }) => typeUrl.endsWith(`/${schema.typeName}`));
  return found === undefined ? undefined : fromBinary(schema, found.value);
}

/** Returns the error of a call that must fail. */
export async function failureOf(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'metadata' in error) return error as ServiceError;
    throw error;
  }
  throw new Error('the call did not fail');
}

/** Throws where something does not hold. */
export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** Opens a client of the addresses that an environment variable has, and closes it behind its use. */
export async function withClient<T>(
  variable: string,
  use: (client: Client) => Promise<T>,
  config?: string,
  tls?: ChannelCredentials,
): Promise<T> {
  const client = open(variable, config, tls);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}
