/** A request as it came. */
export interface ChaosRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Which connection it came on: 0, 1, 2 in the order of their acceptance. */
  readonly connection: number;
}

/** Reads the first request of what was received, and its size in bytes; undefined while it is not whole. */
export function parseRequest(
  received: Buffer,
  connection: number,
): { readonly request: ChaosRequest; readonly size: number } | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [first = '', ...lines] = received.subarray(0, end).toString('latin1').split('\r\n');
  const [method = '', path = ''] = first.split(' ');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const size = end + 4 + Number(headers['content-length'] ?? 0);
  if (received.length < size) return undefined;
  return {
    request: { method, path, headers, body: received.subarray(end + 4, size).toString('utf8'), connection },
    size,
  };
}
