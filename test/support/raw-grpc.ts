import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { StreamChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import { say } from './chat-samples.ts';

/** Opens an HTTP/2 connection to a gRPC door, without any of the manners of a gRPC client. */
export function openRawConnection(address: string): ClientHttp2Session {
  const session = connect(`http://${address}`);
  session.on('error', () => undefined);
  return session;
}

/** Sends a StreamChat; nothing of the answer is read until somebody listens. */
export function sendRaw(session: ClientHttp2Session, headers?: Readonly<Record<string, string>>): ClientHttp2Stream {
  const { stream, end } = beginRaw(session, headers);
  end();
  return stream;
}

/** Sends the half of a StreamChat, and says when it is on its way; `end` sends the rest. */
export function beginRaw(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>> = {},
): { readonly stream: ClientHttp2Stream; readonly begun: Promise<unknown>; readonly end: () => void } {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/understudy.v1.LlmService/StreamChat',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => undefined);
  const request = create(StreamChatRequestSchema, { messages: [say(Role.USER, 'hello')] });
  const message = toBinary(StreamChatRequestSchema, request);
  const frame = Buffer.alloc(5 + message.byteLength);
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, 5);
  const begun = new Promise((resolve) => stream.write(frame.subarray(0, 7), resolve));
  return { stream, begun, end: () => void stream.end(frame.subarray(7)) };
}

/** Reads a raw stream to its end and returns its gRPC status; undefined where it ends without one. */
export async function statusOfRaw(stream: ClientHttp2Stream): Promise<string | undefined> {
  let status: string | undefined;
  const look = (headers: Readonly<Record<string, unknown>>): void => {
    const found = headers['grpc-status'];
    if (typeof found === 'string') status = found;
  };
  stream.on('response', look);
  stream.on('trailers', look);
  stream.resume();
  await new Promise((resolve) => stream.once('close', resolve));
  return status;
}
