/** What is measured: kinds of calls. */
const KINDS_OF_CALLS = ['chat', 'open', 'apart', 'joined', 'drip'] as const;

/** One of the kinds of calls. */
export type ScenarioName = (typeof KINDS_OF_CALLS)[number];

/** How many deltas a stream has, unless another number is asked for. */
export const DELTAS = 100;
/** In how many the answer of Chat comes where it is streamed upstream. */
export const CHAT_DELTAS = 60;
/** Milliseconds between two deltas of a dripped stream. */
export const DRIP_MS = 5;

const MARK = 'ask-';
/** More than the longest name and amount have. */
const MOST_KEY_BYTES = 24;

/** What an answer must say, piece by piece: those of `apart` are reasoning and text in turn, so that no two can be joined. */
export interface Wanted {
  readonly name: ScenarioName;
  readonly pieces: readonly { readonly kind: 'text' | 'reasoning'; readonly text: string }[];
  readonly text: string;
  readonly reasoning: string;
}

/** Returns the beginning of a prompt, by which the fake upstream and the floors know what to answer; see {@link wantedBy}. */
export function promptFor(key: string): string {
  return `${MARK}${key}: `;
}

/** Finds out what is asked for, from the bytes of a request of whatever protocol; undefined where nothing is. */
export function keyIn(request: Buffer): string | undefined {
  const at = request.indexOf(MARK);
  if (at === -1) return undefined;
  const text = request.toString('latin1', at + MARK.length, at + MARK.length + MOST_KEY_BYTES);
  return text.slice(0, text.indexOf(':'));
}

const known = new Map<string, Wanted>();

/** Returns what is answered: `apart`, or `apart-1000` for a thousand deltas, `chat-1000` for a thousand characters. */
export function wantedBy(key: string): Wanted {
  const found = known.get(key) ?? want(key);
  known.set(key, found);
  return found;
}

function want(key: string): Wanted {
  const [asked, amount] = key.split('-');
  const name = KINDS_OF_CALLS.find((kind) => kind === asked);
  if (name === undefined) throw new Error('a prompt asks for what is not known');
  const count = name === 'chat' || name === 'open' ? CHAT_DELTAS : DELTAS;
  const words = Array.from(
    { length: name === 'chat' ? count : Number(amount ?? count) },
    (_, index) => `word${index} `,
  );
  const texts = name === 'chat' && amount !== undefined ? ['a'.repeat(Number(amount))] : words;
  const pieces = texts.map((text, index) => ({
    kind: name === 'apart' && index % 2 === 0 ? ('reasoning' as const) : ('text' as const),
    text,
  }));
  const joined = (kind: string): string =>
    pieces
      .filter((piece) => piece.kind === kind)
      .map(({ text }) => text)
      .join('');
  return { name, pieces, text: joined('text'), reasoning: joined('reasoning') };
}
