import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';

import { create, toBinary } from '@bufbuild/protobuf';
import { frame } from '../../bench/calls/frames.ts';
import { GenerateRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import { statusOfRaw } from '../support/raw-grpc.ts';

/** The process of a crowd: keeps calls of Generate under way until its parent lets go of it, and tells it once a second how they ended. */

const MOST_CONNECTIONS = 1_000;

const [address = '', callers = '1', bytes = '100'] = process.argv.slice(2);
const body = frame(toBinary(GenerateRequestSchema, create(GenerateRequestSchema, { prompt: promptOf(Number(bytes)) })));
const ends: Record<string, number> = {};
/** Callers who have not had an answer yet. */
let waiting = Number(callers);

/** Words, not one letter: what is looked at must be like what people write. */
function promptOf(length: number): string {
  return 'Tell me how the weather will be in the mountains tomorrow, and what I should wear. '
    .repeat(Math.ceil(length / 80))
    .slice(0, length);
}

async function call(session: ClientHttp2Session): Promise<void> {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/understudy.v1.LlmService/Generate',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  stream.end(body);
  const status = (await statusOfRaw(stream)) ?? 'lost';
  ends[status] = (ends[status] ?? 0) + 1;
}

/** Makes one call after the other for as long as the connection stands. */
async function callOn(session: ClientHttp2Session): Promise<void> {
  await call(session);
  if (!session.destroyed) void callOn(session);
}

async function begin(session: ClientHttp2Session): Promise<void> {
  await call(session);
  waiting -= 1;
  await callOn(session);
}

const sessions = Array.from({ length: Math.min(MOST_CONNECTIONS, Number(callers)) }, () =>
  connect(`http://${address}`).on('error', () => undefined),
);
for (let caller = 0; caller < Number(callers); caller++) {
  const session = sessions[caller % sessions.length];
  if (session !== undefined) void begin(session);
}
// Where nobody hears any more, the process ends.
setInterval(() => process.send?.({ ends, waiting }, undefined, undefined, () => undefined), 1_000);
process.once('disconnect', () => process.exit(0));
