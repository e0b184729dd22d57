import { textOfPart } from '../answer/made-up-answer.ts';
import type { AnswerEnding } from '../answer/fault-catalogue.ts';
import type { AnswerPart, MockAnswer } from '../answer/made-up-answer.ts';
import { LETTERS_AND_DIGITS, below, randomText } from '../shared/seeded.ts';
import type { Frame, Wire, WireContext } from './format.ts';

type Json = Readonly<Record<string, unknown>>;
type Status = 'in_progress' | 'completed' | 'incomplete' | 'failed';

/** An output item: as it is at first, what its parts become, and as it is at the end. */
interface Item {
  readonly id: string;
  readonly part: AnswerPart;
  /** A reasoning item's content that only its provider can read. */
  readonly encrypted: string;
}

const OUTCOMES = {
  stop: ['completed', null],
  tool_calls: ['completed', null],
  refusal: ['completed', null],
  length: ['incomplete', 'max_output_tokens'],
  content_filter: ['incomplete', 'content_filter'],
} as const satisfies Record<AnswerEnding, readonly [Status, string | null]>;

const FAILURE = { code: 'server_error', message: 'The mock failed in the middle of its answer.' };

/** The wire format of OpenAI's Responses API: named events, each with its number. */
export const RESPONSES_WIRE: Wire = {
  framing: 'sse',
  stream: (answer, context) => {
    const items = itemsOf(answer, context);
    const started = responseBody(answer, 'in_progress', []);
    const [status] = OUTCOMES[answer.ending];
    const frames = [
      event('around', 'response.created', { response: started }),
      event('around', 'response.in_progress', { response: started }),
      ...items.flatMap((item, index) => itemEvents(item, index, itemStatus(answer), context)),
      event('end', `response.${status}`, { response: responseBody(answer, status, finishedItems(answer, items)) }),
    ];
    return numbered(frames, 0);
  },
  midStreamError: (answer, sent) => {
    const response = { ...responseBody(answer, 'failed', []), error: FAILURE };
    const error = { type: 'server_error', ...FAILURE, param: null };
    return numbered([event('end', 'error', { error }), event('end', 'response.failed', { response })], sent);
  },
  whole: (answer, context) => {
    const [status] = OUTCOMES[answer.ending];
    const items = finishedItems(answer, itemsOf(answer, context));
    return `${JSON.stringify(responseBody(answer, status, items), null, 2)}\n`;
  },
};

interface Event {
  readonly role: Frame['role'];
  readonly type: string;
  readonly fields: Json;
}

function event(role: Frame['role'], type: string, fields: Json): Event {
  return { role, type, fields };
}

function numbered(events: readonly Event[], first: number): readonly Frame[] {
  return events.map(({ role, type, fields }, index) => ({
    role,
    name: type,
    data: JSON.stringify({ type, sequence_number: first + index, ...fields }),
  }));
}

function itemsOf(answer: MockAnswer, context: WireContext): readonly Item[] {
  const prefixes = { reasoning: 'rs', text: 'msg', refusal: 'msg', tool_call: 'fc' } as const;
  return answer.parts.map((part) => ({
    id: `${prefixes[part.kind]}_${randomText(context.chance, 50)}`,
    part,
    encrypted: part.kind === 'reasoning' ? `gAAAAA${randomText(context.chance, 90, LETTERS_AND_DIGITS)}` : '',
  }));
}

/** All events of one output item, from `added` to `done`. */
function itemEvents(item: Item, index: number, status: Status, context: WireContext): readonly Event[] {
  const place = { output_index: index, item_id: item.id };
  const [partEvents, deltas] = deltaEvents(item, place, context);
  return [
    event('around', 'response.output_item.added', {
      output_index: index,
      item: itemBody(item, 'in_progress', false),
    }),
    ...partEvents.slice(0, 1),
    ...deltas,
    ...partEvents.slice(1),
    event('around', 'response.output_item.done', { output_index: index, item: itemBody(item, status, true) }),
  ];
}

/** The events around the deltas (one before them, the others after), and the deltas. */
function deltaEvents(item: Item, place: Json, context: WireContext): readonly [readonly Event[], readonly Event[]] {
  const text = textOfPart(item.part);
  const deltas = (type: string, more: Json): readonly Event[] =>
    item.part.tokens.map((delta) => {
      const padding = randomText(context.chance, below(context.chance, 16), LETTERS_AND_DIGITS);
      const obfuscation = context.includesObfuscation ? { obfuscation: padding } : {};
      return event('token', type, { ...place, ...more, delta, ...obfuscation });
    });
  switch (item.part.kind) {
    case 'tool_call': {
      const done = event('around', 'response.function_call_arguments.done', { ...place, arguments: text });
      const [first, ...others] = deltas('response.function_call_arguments.delta', {});
      return first === undefined ? [[done], []] : [[first, done], others];
    }
    case 'reasoning': {
      const at = { ...place, summary_index: 0 };
      return [
        [
          event('around', 'response.reasoning_summary_part.added', { ...at, part: summary('') }),
          event('around', 'response.reasoning_summary_text.done', { ...at, text }),
          event('around', 'response.reasoning_summary_part.done', { ...at, part: summary(text) }),
        ],
        deltas('response.reasoning_summary_text.delta', { summary_index: 0 }),
      ];
    }
    case 'text':
    case 'refusal': {
      const at = { ...place, content_index: 0 };
      const kind = item.part.kind === 'text' ? 'output_text' : 'refusal';
      const more = kind === 'output_text' ? { content_index: 0, logprobs: [] } : { content_index: 0 };
      const full = kind === 'output_text' ? { text, logprobs: [] } : { refusal: text };
      return [
        [
          event('around', 'response.content_part.added', { ...at, part: contentPart(item.part, '') }),
          event('around', `response.${kind}.done`, { ...at, ...full }),
          event('around', 'response.content_part.done', { ...at, part: contentPart(item.part, text) }),
        ],
        deltas(`response.${kind}.delta`, more),
      ];
    }
  }
}

function itemBody(item: Item, status: Status, isDone: boolean): Json {
  const { id, part } = item;
  const text = isDone ? textOfPart(part) : '';
  switch (part.kind) {
    case 'tool_call':
      return { id, type: 'function_call', status, arguments: text, call_id: part.id, name: part.name };
    case 'reasoning':
      return { id, type: 'reasoning', summary: isDone ? [summary(text)] : [], encrypted_content: item.encrypted };
    case 'text':
    case 'refusal':
      return { id, type: 'message', status, content: isDone ? [contentPart(part, text)] : [], role: 'assistant' };
  }
}

function finishedItems(answer: MockAnswer, items: readonly Item[]): readonly Json[] {
  return items.map((item) => itemBody(item, itemStatus(answer), true));
}

function itemStatus(answer: MockAnswer): Status {
  return OUTCOMES[answer.ending][0] === 'incomplete' ? 'incomplete' : 'completed';
}

function summary(text: string): Json {
  return { type: 'summary_text', text };
}

function contentPart(part: AnswerPart, text: string): Json {
  if (part.kind === 'refusal') return { type: 'refusal', refusal: text };
  return { type: 'output_text', annotations: [], logprobs: [], text };
}

function responseBody(answer: MockAnswer, status: Status, output: readonly Json[]): Json {
  const reason = status === 'incomplete' ? OUTCOMES[answer.ending][1] : null;
  const isOver = status === 'completed' || status === 'incomplete';
  return {
    id: `resp_${answer.id}`,
    object: 'response',
    created_at: Math.floor(answer.createdAtMs / 1000),
    status,
    background: false,
    completed_at: status === 'completed' ? Math.floor(answer.createdAtMs / 1000) : null,
    error: null,
    incomplete_details: reason === null ? null : { reason },
    instructions: null,
    metadata: {},
    model: answer.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    service_tier: isOver ? 'default' : 'auto',
    store: false,
    text: { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: 'auto',
    tools: [],
    truncation: 'disabled',
    usage: isOver ? usageOf(answer) : null,
    user: null,
  };
}

function usageOf(answer: MockAnswer): Json {
  return {
    input_tokens: answer.inputTokens,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: answer.outputTokens,
    output_tokens_details: { reasoning_tokens: answer.reasoningTokens },
    total_tokens: answer.inputTokens + answer.outputTokens,
  };
}
