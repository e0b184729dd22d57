import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { z } from 'zod';

import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../gen/google/rpc/status_pb.ts';
import { ChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import { AttemptTrailSchema } from '../../gen/understudy/v1/routing_pb.ts';
import { user } from '../support/chat-parts.ts';
import { startGateway } from '../support/gateway-doors.ts';

const PROGRAM = fileURLToPath(new URL('core_deadlines.py', import.meta.url));

const END = z.object({
  method: z.string(),
  seconds: z.number(),
  code: z.string(),
  details: z.base64(),
  took_ms: z.number(),
});

/** How a call ended at a client of gRPC's C core whose only target was silent. */
export interface CoreEnd {
  readonly method: string;
  /** The deadline that the client gave. */
  readonly seconds: number;
  readonly code: string;
  /** Reason of its ErrorInfo; empty where it has none, as where the client's own clock has ended the call. */
  readonly reason: string;
  /** Attempts that the trail of the error tells of. */
  readonly attempts: number;
  /** What the client's own deadline still had when the error was there. */
  readonly leftMs: number;
}

/**
 * Asks a gateway whose only target never answers, by grpcio, with each deadline at once, whole and streamed; takes as long as the
 * longest deadline.
 *
 * @param python a Python that has grpcio
 * @throws Error where Python fails
 */
export async function endsAtCoreClients(python: string, deadlines: readonly number[]): Promise<readonly CoreEnd[]> {
  const gateway = await startGateway({
    targets: [
      { name: 'silent', provider: 'openai', model: 'mock-silence', mock: true, timeouts: { first_output: '1h' } },
    ],
  });
  try {
    const request = toBinary(ChatRequestSchema, create(ChatRequestSchema, { messages: [user('Is anybody there?')] }));
    const asked = [gateway.address, Buffer.from(request).toString('hex'), ...deadlines.map(String)];
    const { stdout } = await promisify(execFile)(python, [PROGRAM, ...asked]);
    return stdout.trim().split('\n').map(readEnd);
  } finally {
    await gateway.close();
  }
}

function readEnd(line: string): CoreEnd {
  const { method, seconds, code, details, took_ms: tookMs } = END.parse(JSON.parse(line));
  const { details: packed } = fromBinary(StatusSchema, Buffer.from(details, 'base64'));
  const infos = packed.map((detail) => anyUnpack(detail, ErrorInfoSchema));
  const trails = packed.map((detail) => anyUnpack(detail, AttemptTrailSchema));
  return {
    method,
    seconds,
    code,
    reason: infos.find((info) => info !== undefined)?.reason ?? '',
    attempts: trails.find((trail) => trail !== undefined)?.attempts.length ?? 0,
    leftMs: 1_000 * seconds - tookMs,
  };
}
