import { create, type DescService, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createServiceImplSpec, type MethodImplSpec, type ServiceImpl } from '@connectrpc/connect';
import { createMethodSerializationLookup, limitSerialization } from '@connectrpc/connect/protocol';
import { encodeMessage } from '../../grpc/calls/encode-message.ts';
import { type WebLimits, WEB_JSON } from '../../http/calls/web-json.ts';

/** The implementation of a method that is answered here. */
type Spec = Extract<MethodImplSpec, { kind: 'unary' | 'server_streaming' }>;

/** A method whose plain calls are answered. */
export interface PlainMethod {
  readonly spec: Spec;
  /** Decodes a request. Throws where Connect would answer with an error. */
  readonly decode: (bytes: Uint8Array, isBinary: boolean) => MessageShape<Spec['method']['input']>;
  /** Encodes an answer. Throws a ConnectError where it is larger than may be. */
  readonly encode: (message: MessageInitShape<Spec['method']['output']>, isBinary: boolean) => Uint8Array;
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
    const json = formats.getO(false);
    const binary = limitSerialization(
      { ...formats.getO(true), serialize: (message) => new Uint8Array(encodeMessage(output, message)) },
      limits,
    );
    methods.set(`/${service.typeName}/${spec.method.name}`, {
      spec,
      decode: (bytes, isBinary) => formats.getI(isBinary).parse(bytes),
      encode: (message, isBinary) => (isBinary ? binary : json).serialize(create(output, message)),
    });
  }
  return methods;
}

/** Makes an error of whatever a handler has thrown, as Connect does: of what is foreign nothing is told. */
export function connectError(thrown: unknown): ConnectError {
  return thrown instanceof ConnectError
    ? thrown
    : new ConnectError('internal error', Code.Internal, undefined, undefined, thrown);
}
