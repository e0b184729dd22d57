import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import {
  Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { StatusSchema } from '../../gen/google/rpc/status_pb.js';
import {
  Health,
  type HealthCheckRequest,
  type HealthCheckRequestSchema,
  type HealthCheckResponseSchema,
} from '../../gen/grpc/health/v1/health_pb.js';
import {
  type ChatRequestSchema,
  type ChatResponseSchema,
  type GenerateRequestSchema,
  type GenerateResponseSchema,
  type HealthRequestSchema,
  type HealthResponseSchema,
  type ListModelsRequestSchema,
  type ListModelsResponseSchema,
  LlmService,
  type StreamChatRequest,
  type StreamChatResponseSchema,
} from '../../gen/understudy/v1/llm_pb.js';

type StreamInit = MessageInitShape<typeof StreamChatResponseSchema>;
type UnaryAnswer<Input extends DescMessage, Output extends DescMessage> = (
  call: ServerUnaryCall<MessageShape<Input>, Buffer>,
) => MessageInitShape<Output> | Promise<MessageInitShape<Output>>;

/** A StreamChat call as the server sees it. */
export type StreamCall = ServerWritableStream<StreamChatRequest, StreamInit>;

/** A Watch call as the server sees it. */
export type WatchCall = ServerWritableStream<HealthCheckRequest, MessageInitShape<typeof HealthCheckResponseSchema>>;

/** What the server answers; a method that is left out is unimplemented. An answer may throw a {@link StatusError}. */
export interface GatewayScript {
  readonly generate?: UnaryAnswer<typeof GenerateRequestSchema, typeof GenerateResponseSchema>;
  readonly chat?: UnaryAnswer<typeof ChatRequestSchema, typeof ChatResponseSchema>;
  readonly health?: UnaryAnswer<typeof HealthRequestSchema, typeof HealthResponseSchema>;
  readonly listModels?: UnaryAnswer<typeof ListModelsRequestSchema, typeof ListModelsResponseSchema>;
  readonly streamChat?: (call: StreamCall) => void;
  /** Check of grpc.health.v1. */
  readonly check?: UnaryAnswer<typeof HealthCheckRequestSchema, typeof HealthCheckResponseSchema>;
  /** Watch of grpc.health.v1. */
  readonly watch?: (call: WatchCall) => void;
}

/** A gRPC server on a socket of its own. */
export interface Gateway {
  readonly port: number;
  readonly address: string;
  /** Ends all calls and connections. */
  close(): void;
}

/** A status with details and trailers. Without metadata sent before it, grpc-js sends it Trailers-Only. */
export class StatusError extends Error {
  readonly code: number;
  readonly details: string;
  readonly metadata = new Metadata();

  constructor(code: Code, message: string, details: readonly Any[] = [], trailers: Record<string, string> = {}) {
    super(message);
    this.code = code;
    this.details = message;
    for (const [name, value] of Object.entries(trailers)) this.metadata.set(name, value);
    if (details.length === 0) return;
    const status = create(StatusSchema, { code, message, details: [...details] });
    this.metadata.set('grpc-status-details-bin', Buffer.from(toBinary(StatusSchema, status)));
  }
}

/** Makes a detail of a status. */
export function detail<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init));
}

/** Serves LlmService with grpc-js, as the gateway does, on a port of the loopback, by default a free one. */
export async function startGateway(
  script: GatewayScript,
  credentials: ServerCredentials = ServerCredentials.createInsecure(),
  port = 0,
): Promise<Gateway> {
  const server = new Server();
  const { generate, chat, health, listModels } = LlmService.method;
  mountUnary(server, generate, script.generate);
  mountUnary(server, chat, script.chat);
  mountUnary(server, health, script.health);
  mountUnary(server, listModels, script.listModels);
  mountUnary(server, Health.method.check, script.check);
  mountStream(server, LlmService.method.streamChat, script.streamChat);
  mountStream(server, Health.method.watch, script.watch);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, taken) =>
      error === null ? resolve(taken) : reject(error),
    );
  });
  return { port: bound, address: `127.0.0.1:${bound}`, close: () => server.forceShutdown() };
}

function mountUnary<Input extends DescMessage, Output extends DescMessage>(
  server: Server,
  method: DescMethodUnary<Input, Output>,
  answer: UnaryAnswer<Input, Output> | undefined,
): void {
  if (answer === undefined) return;
  const handle = async (call: ServerUnaryCall<MessageShape<Input>, Buffer>, callback: sendUnaryData<Buffer>) => {
    try {
      callback(null, encoded(method.output, await answer(call)));
    } catch (error) {
      callback(error instanceof StatusError ? error : new StatusError(Code.Internal, String(error)));
    }
  };
  server.register(
    `/${method.parent.typeName}/${method.name}`,
    (call: ServerUnaryCall<MessageShape<Input>, Buffer>, callback: sendUnaryData<Buffer>) =>
      void handle(call, callback),
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => fromBinary(method.input, bytes),
    'unary',
  );
}

function mountStream<Input extends DescMessage, Output extends DescMessage>(
  server: Server,
  { parent, name, input, output }: DescMethodServerStreaming<Input, Output>,
  answer: ((call: ServerWritableStream<MessageShape<Input>, MessageInitShape<Output>>) => void) | undefined,
): void {
  if (answer === undefined) return;
  server.register(
    `/${parent.typeName}/${name}`,
    answer,
    (message: MessageInitShape<Output>) => encoded(output, message),
    (bytes: Buffer) => fromBinary(input, bytes),
    'serverStream',
  );
}

function encoded<Desc extends DescMessage>(schema: Desc, message: MessageInitShape<Desc>): Buffer {
  return Buffer.from(toBinary(schema, create(schema, message)));
}
