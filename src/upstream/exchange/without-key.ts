import type { Delta, Finish } from '../../core/answer.ts';
import type { AttemptEvent, AttemptSink } from '../../core/ports.ts';

/** Shorter keys are no secrets, such as the `none` of a local server, and would be found in harmless words. */
const SHORTEST_KEY = 8;

/**
 * Keeps a target's key out of the few words of its provider that are passed on: codes, ids, names of models. Providers repeat
 * what they were sent, and a key looks like any other word (engine rule X5). The answer itself is passed on as it is.
 */
export function withoutKey(sink: AttemptSink<Delta, Finish>, key: string | undefined): AttemptSink<Delta, Finish> {
  if (key === undefined || key.length < SHORTEST_KEY) return sink;
  const clean = (word: string | undefined): string | undefined => (word?.includes(key) === true ? undefined : word);
  return (event) => sink(cleaned(event, clean));
}

function cleaned(
  event: AttemptEvent<Delta, Finish>,
  clean: (word: string | undefined) => string | undefined,
): AttemptEvent<Delta, Finish> {
  switch (event.type) {
    case 'headers': {
      const requestId = clean(event.requestId);
      return requestId === event.requestId ? event : { ...event, requestId };
    }
    case 'startup': {
      const model = clean(event.model);
      return model === event.model ? event : { ...event, model };
    }
    case 'terminal': {
      const { raw, responseId } = event.final;
      if (clean(raw) === raw && clean(responseId) === responseId) return event;
      return { ...event, final: { ...event.final, raw: clean(raw) ?? '', responseId: clean(responseId) } };
    }
    case 'error': {
      const { failure } = event;
      const providerCode = clean(failure.providerCode);
      return { ...event, failure: { ...failure, providerCode, providerRequestId: clean(failure.providerRequestId) } };
    }
    case 'output':
    case 'usage':
    case 'end':
      return event;
  }
}
