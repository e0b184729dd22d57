import type { StreamChatResponse } from '../../gen/understudy/v1/llm_pb.ts';

/** Joins the text of a stream. */
export function textOf(events: readonly StreamChatResponse[]): string {
  return events.map(({ event }) => (event.case === 'textDelta' ? event.value.text : '')).join('');
}

/** Returns what counts of a stream, as a client finds out by the event `restarted` alone. */
export function counted(events: readonly StreamChatResponse[]): readonly StreamChatResponse[] {
  let kept: StreamChatResponse[] = [];
  for (const response of events) {
    const { event } = response;
    if (event.case === 'restarted') {
      const { discardFromSequence } = event.value;
      kept = kept.filter(({ sequence }) => sequence < discardFromSequence);
    }
    kept.push(response);
  }
  return kept;
}
