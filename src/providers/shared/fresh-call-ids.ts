import type { Delta } from '../../core/answer.ts';
import type { AdapterEvent, Chat, EventReader, WireEvent } from '../port/adapter.ts';
import { lettersOf } from './tool-ids.ts';

/**
 * Gives every tool call of an answer an id that no other call of the conversation has: some servers give none, some the same to all
 * calls, and some begin to count anew in every answer, which callers could not send back. An id that is new stays as it is; another one
 * is made of it and of what is there already, so that the same answer gets the same ids.
 */
export function withFreshCallIds(reader: EventReader, messages: Chat['messages']): EventReader {
  let ids: FreshCallIds | undefined;
  const read = (event: WireEvent): readonly AdapterEvent[] => {
    const events = reader(event);
    if (!events.some(isCall)) return events;
    ids ??= new FreshCallIds(messages);
    return events.map(ids.freshen);
  };
  return Object.assign(read, { repeated: reader.repeated });
}

type CallDelta = Extract<Delta, { kind: 'tool_call' }>;

function isCall(event: AdapterEvent): boolean {
  return event.type === 'delta' && event.delta.kind === 'tool_call';
}

class FreshCallIds {
  readonly #taken: Set<string>;
  /** The parts whose id is told. */
  readonly #told = new Set<number>();

  constructor(messages: Chat['messages']) {
    this.#taken = new Set(
      messages.flatMap(({ content }) =>
        content.flatMap(({ part }) => (part.case === 'toolCall' ? [part.value.id] : [])),
      ),
    );
  }

  readonly freshen = (event: AdapterEvent): AdapterEvent => {
    if (event.type !== 'delta' || event.delta.kind !== 'tool_call') return event;
    const { delta } = event;
    if (delta.id === undefined && delta.name === undefined) return event;
    if (this.#told.has(delta.index)) return delta.id === undefined ? event : { type: 'delta', delta: withoutId(delta) };
    this.#told.add(delta.index);
    const id = this.#fresh(delta.id ?? '');
    this.#taken.add(id);
    return id === delta.id ? event : { type: 'delta', delta: { ...delta, id } };
  };

  #fresh(given: string): string {
    let id = given;
    for (let attempt = 0; id === '' || this.#taken.has(id); attempt += 1) {
      id = `call_${lettersOf(`${this.#taken.size} ${attempt} ${given}`)}`;
    }
    return id;
  }
}

function withoutId(delta: CallDelta): CallDelta {
  return { ...delta, id: undefined };
}
