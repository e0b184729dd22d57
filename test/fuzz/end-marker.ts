import type { ProviderRecording } from '../support/recordings.ts';

/**
 * Whether a body, whatever was done to it, has a whole event that says that the answer is complete (engine rule X3). Reads it
 * in the plainest way and shares nothing with the code under test; it may see a marker where that sees a fault, never the
 * other way round.
 */
export function hasEndMarker(body: Uint8Array, { dialect, kind }: ProviderRecording): boolean {
  const text = Buffer.from(body)
    .toString('utf8')
    .replace(/^\ufeff/, '');
  if (kind !== 'ndjson' && isObject(parse(text))) return true;
  // What begins as events is read as such, whatever it is said to be.
  if (kind === 'json' && !/^\s*(?::|(?:data|event|id|retry)\s*:)/.test(text)) return false;
  if (dialect === 'anthropic' && /\[done\]"?$/im.test(text) && /"stop_reason"\s*:\s*"/.test(text)) return true;
  const events = kind === 'ndjson' ? text.split('\n').map((data) => ({ name: '', data })) : sseEvents(text);
  return events.some(({ name, data }) => isMarker(name, data.trim(), dialect));
}

interface PlainEvent {
  readonly name: string;
  readonly data: string;
}

/** The data of an event may be several documents, each in its line, or have the marker of OpenAI's streams glued to them. */
function isMarker(name: string, data: string, dialect: string): boolean {
  const isEnd = /\[done\]"?$/i.test(data);
  if (isEnd && dialect === 'openai') return true;
  const plain = isEnd ? data.replace(/"?\[done\]"?$/i, '') : data;
  return [plain, ...plain.split('\n')].some((text) =>
    isMarkerDocument(name, text.replace(/^\s*(data:\s*)+/, ''), dialect),
  );
}

function isMarkerDocument(name: string, text: string, dialect: string): boolean {
  const event = parse(text.replace(/"?\[done\]"?$/i, ''));
  if (!isObject(event)) return false;
  switch (dialect) {
    case 'openai':
      return JSON.stringify(event).includes('"finish_reason":');
    case 'openai-responses':
      return [name, event['type']].some((type) => RESPONSES_ENDS.has(type));
    case 'anthropic':
      return name === 'message_stop' || event['type'] === 'message_stop';
    default:
      return event['done'] === true || event['done'] === 'true';
  }
}

const RESPONSES_ENDS: ReadonlySet<unknown> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.done',
]);

/** Every event that a blank line, or the end of the body, completes. */
function sseEvents(text: string): PlainEvent[] {
  const found: PlainEvent[] = [];
  let data: string[] = [];
  let name = '';
  const lines = text.split(/\r\n|\n|\r/);
  for (const line of lines) {
    if (line === '') {
      found.push({ name, data: data.join('\n') });
      data = [];
      name = '';
    } else if (line.startsWith('event:')) {
      name = line.slice(6).trim();
    } else if (/^data(?::|$)/.test(line)) {
      data.push(line.slice(5).replace(/^ /, ''));
    }
  }
  return [...found, { name, data: data.join('\n') }];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
