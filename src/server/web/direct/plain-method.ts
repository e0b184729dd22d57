import { create, type DescService, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createServiceImplSpec, type MethodImplSpec, type ServiceImpl } from '@connectrpc/connect';
import { createMethodSerializationLookup } from '@connectrpc/connect/protocol';
import type { MessageFrames } from '../../grpc/streams/message-frames.ts';
import { isPieceEvent, type PieceEvent } from '../../grpc/streams/piece-event.ts';
import { encodeMessage } from '../../grpc/calls/encode-message.ts';
import { type WebLimits, WEB_JSON } from '../../http/calls/web-json.ts';
import { pieceJson } from './piece-json.ts';

/** The implementation of a method that is answered here. */
type Spec = Extract<MethodImplSpec, { kind: 'unary' | 'server_streaming' }>;

/** A method whose plain calls are answered. */
export interface PlainMethod {
  readonly spec: Spec;
  /** Decodes a request. Throws where Connect would answer with an error. */
  readonly decode: (bytes: Uint8Array, isBinary: boolean) => MessageShape<Spec['method']['input']>;
  /** Encodes an answer. Throws a ConnectError where that cannot be, or is larger than may be. */
  readonly encode: (message: MessageInitShape<Spec['method']['output']>, isBinary: boolean) => Uint8Array;
  /** Adds an answer, encoded, to what stands in envelopes. Throws as `encode` does. */
  readonly addTo: (
    frames: MessageFrames,
    message: MessageInitShape<Spec['method']['output']>,
    isBinary: boolean,
  ) => void;
}

/** Returns the unary and server-streaming methods of a service by their paths; they read and write what Connect would. */
export function plainMethods<Service extends DescService>(
  service: Service,
  implementation: ServiceImpl<Service>,
  limits: WebLimits,
): ReadonlyMap<string, PlainMethod> {
  const methods = new Map<string, PlainMethod>();
  for (const spec of Object.values(createServiceImplSpec<Service>(service, implementation).methods)) {
    if (spec.kind !== 'unary' && spec.kind !== 'server_streaming') continue;
    const { output } = spec.method;
    const formats = createMethodSerializationLookup(spec.method, undefined, WEB_JSON, limits);
    const encodeBinary = (message: MessageShape<typeof output>): Uint8Array => {
      try {
        const bytes = encodeMessage(output, message);
        if (bytes.byteLength <= limits.writeMaxBytes) return bytes;
      } catch {
        // Connect has words for it.
      }
      return formats.getO(true).serialize(message);
    };
    const encode: PlainMethod['encode'] = (answer, isBinary) => {
      const message = create(output, answer);
      return isBinary ? encodeBinary(message) : formats.getO(false).serialize(message);
    };
    methods.set(`/${service.typeName}/${spec.method.name}`, {
      spec,
      decode: (bytes, isBinary) => formats.getI(isBinary).parse(bytes),
      encode,
      addTo: (frames, message, isBinary) => {
        const piece = isShortPiece(message, limits) ? message : undefined;
        const json = isBinary ? undefined : piece && pieceJson(piece);
        if (json !== undefined) frames.addText(json);
        else if (isBinary && piece !== undefined) frames.add(output, piece);
        else frames.addEncoded(encode(message, isBinary));
      },
    });
  }
  return methods;
}

/** Longest piece, in characters, that is written without Connect's serialization, which looks at the size of all. */
const SHORT = 1_000;

function isShortPiece(message: object, { writeMaxBytes }: WebLimits): message is PieceEvent {
  return isPieceEvent(message) && message.event.value.text.length <= SHORT && writeMaxBytes > 8 * SHORT;
}

/** Makes an error of whatever a handler has thrown, as Connect does: of what is foreign nothing is told. */
export function connectError(thrown: unknown): ConnectError {
  return thrown instanceof ConnectError
    ? thrown
    : new ConnectError('internal error', Code.Internal, undefined, undefined, thrown);
}
