/** Of HPACK (RFC 7541, section 6): a header by its number, and one by its name that is then put into the table. */
const INDEXED = 0x80;
const LITERAL_WITH_INDEXING = 0x40;
/** Behind the static table, which has 61 headers; the header that came last is the first. */
const FIRST_OF_TABLE = 62;
/** A longer length needs more bytes. */
const MOST_LENGTH = 126;

/** The headers of all requests of a connection, encoded: of the first, which fills the table, and of the others. */
export interface RequestBlocks {
  readonly first: Buffer;
  readonly others: Buffer;
}

/** Encodes headers, without Huffman's code. Throws where a name or a value is longer than 126 bytes. */
export function encodeRequests(headers: Readonly<Record<string, string>>): RequestBlocks {
  const entries = Object.entries(headers);
  const first = entries.flatMap(([name, value]) => [LITERAL_WITH_INDEXING, ...textOf(name), ...textOf(value)]);
  const others = entries.map((_, index) => INDEXED | (FIRST_OF_TABLE + entries.length - 1 - index));
  return { first: Buffer.from(first), others: Buffer.from(others) };
}

function textOf(text: string): readonly number[] {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length > MOST_LENGTH) throw new Error(`a header of ${bytes.length} bytes is too long`);
  return [bytes.length, ...bytes];
}
