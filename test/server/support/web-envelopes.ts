/** Bytes in an envelope of gRPC, Connect or gRPC-Web: a flag, a length, the message. */
export function enveloped(
  message: Uint8Array | string,
  { flag = 0, length }: EnvelopeFaults = {},
): Buffer<ArrayBuffer> {
  const bytes = Buffer.from(message);
  const frame = Buffer.alloc(5 + bytes.length);
  frame.writeUInt8(flag, 0);
  frame.writeUInt32BE(length ?? bytes.length, 1);
  frame.set(bytes, 5);
  return frame;
}

export interface EnvelopeFaults {
  readonly flag?: number;
  /** What the envelope says, where that is not the length of the message. */
  readonly length?: number;
}

const CODES = new Map([
  ['3', 'invalid_argument'],
  ['8', 'resource_exhausted'],
  ['12', 'unimplemented'],
  ['13', 'internal'],
]);

/** What a response ends with: `ok`, a code of Connect, or the HTTP status where it is of neither protocol. */
export async function endOf(response: Response): Promise<string> {
  const body = Buffer.from(await response.arrayBuffer());
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('application/json')) return codeIn(JSON.parse(body.toString())) ?? 'ok';
  let end = type === 'application/proto' ? 'ok' : `HTTP ${response.status}`;
  for (let at = 0; at + 5 <= body.length && /connect\+|grpc-web/.test(type); at += 5 + body.readUInt32BE(at + 1)) {
    const text = body.subarray(at + 5, at + 5 + body.readUInt32BE(at + 1)).toString();
    if (body[at] === 0x02) end = codeIn(valueOf(JSON.parse(text), 'error')) ?? 'ok';
    if (body[at] === 0x80) end = codeOfTrailers(text);
  }
  return end;
}

function codeOfTrailers(text: string): string {
  const [, status = ''] = /^grpc-status: ?(\d+)/im.exec(text) ?? [];
  return status === '0' ? 'ok' : (CODES.get(status) ?? `status ${status}`);
}

function codeIn(json: unknown): string | undefined {
  const code = valueOf(json, 'code');
  return typeof code === 'string' ? code : undefined;
}

function valueOf(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null ? Reflect.get(json, name) : undefined;
}
