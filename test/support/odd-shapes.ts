import { chunk, lastChunk } from './chaos-upstream.ts';
import { BEGUN, SAID, WHOLE } from './chaos-stage.ts';
import type { OddStream } from './odd-streams.ts';
import { event, STREAM_END, STREAM_HEAD, textEvent } from './openai-bodies.ts';

/** The words that {@link BEGUN} leaves. */
const REST = ['the ', 'question.'];
const DONE = 'data: [DONE]\n\n';
const MARKED = STREAM_END.replace(`\n\n${DONE}`, '');

/** Writes the JSON of all events otherwise, and puts the end behind them. */
function rewritten(change: (json: string) => string): OddStream['steps'] {
  const events = [...REST.map(textEvent), STREAM_END].map(change);
  return [...BEGUN, ...events.map(chunk), lastChunk];
}

function ended(finishReason: string): OddStream['steps'] {
  return [...SAID, chunk(event({}, finishReason)), chunk(DONE), lastChunk];
}

/** Answers in other types and words than the API has, as servers send them. */
export const ODD_SHAPES: readonly OddStream[] = [
  {
    name: 'a finish reason that is empty in every event',
    steps: rewritten((json) => json.replace('"finish_reason":null', '"finish_reason":""')),
  },
  {
    name: 'a finish reason that is the word null',
    steps: rewritten((json) => json.replace('"finish_reason":null', '"finish_reason":"null"')),
  },
  { name: 'a choice whose index is null', steps: rewritten((json) => json.replaceAll('"index":0', '"index":null')) },
  { name: 'a choice without index', steps: rewritten((json) => json.replaceAll('"index":0,', '')) },
  {
    name: 'content in parts',
    steps: rewritten((json) => json.replace(/"content":("[^"]*")/, '"content":[{"type":"text","text":$1}]')),
  },
  { name: 'null between the events', steps: rewritten((json) => `data: null\n\n${json}data: null\n\n`) },
  {
    name: 'two events without a blank line between them',
    steps: [...BEGUN, chunk(REST.map(textEvent).join('').replace('\n\n', '\n')), chunk(STREAM_END), lastChunk],
  },
  { name: '[DONE] glued to the last event', steps: [...SAID, chunk(`${MARKED}[DONE]`), lastChunk] },
  { name: '[DONE] in the line behind the last event', steps: [...SAID, chunk(`${MARKED}\n${DONE}`), lastChunk] },
  { name: 'a last event of JSON without its blank line', steps: [...SAID, chunk(MARKED), lastChunk] },
  {
    name: 'a call without a name beside the words',
    steps: [
      ...BEGUN,
      chunk(event({ tool_calls: [{ index: 0, id: '', function: { arguments: null } }] })),
      ...REST.map((text) => chunk(textEvent(text))),
      chunk(STREAM_END),
      lastChunk,
    ],
  },
  { name: 'the word MAX_TOKENS for the end', steps: ended('MAX_TOKENS'), usage: {}, reason: 'LENGTH' },
  { name: 'a word for the end that nobody knows', steps: ended('something_new'), usage: {}, reason: 'OTHER' },
  {
    name: 'a call whose arguments are an object',
    steps: [
      STREAM_HEAD,
      chunk(textEvent(WHOLE)),
      chunk(event({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: { n: 1 } } }] })),
      chunk(STREAM_END),
      lastChunk,
    ],
    reason: 'TOOL_CALLS',
  },
];
