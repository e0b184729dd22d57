import type { Delta, Finish } from '../core/answer.ts';
import type { AttemptEvent, AttemptHandle, AttemptSink } from '../core/ports.ts';
import type { UpstreamCall, UpstreamTarget } from '../upstream/target-client.ts';

/** An upstream whose key may be replaced. */
export interface RenewedUpstream {
  readonly upstream: UpstreamTarget;
  /** Makes what begins from now on through another, with the new key: the old one may be good no more. */
  readonly goOnAs: (next: UpstreamTarget) => void;
}

/**
 * Makes an upstream go on with another key once there is one, for the calls under way as well: a call that the old key has just been
 * refused for is made again with the new one, as a part of the same attempt.
 */
export function renewable(made: UpstreamTarget): RenewedUpstream {
  let current = made;
  const open = (call: UpstreamCall, sink: AttemptSink<Delta, Finish>): AttemptHandle => {
    const asked = current;
    let refusal: AttemptEvent<Delta, Finish> | undefined;
    let isAborted = false;
    let handle = asked.open(call, (event) => {
      if (event.type === 'headers' && event.status === 401) {
        refusal = event;
        return;
      }
      if (event.type === 'error' && event.failure.class === 'auth' && current !== asked && !isAborted) {
        handle = current.open(call, sink);
        return;
      }
      if (refusal !== undefined) sink(refusal);
      refusal = undefined;
      sink(event);
    });
    return {
      abort: () => {
        isAborted = true;
        handle.abort();
      },
      release: () => handle.release(),
      pause: () => handle.pause(),
      resume: () => handle.resume(),
    };
  };
  return {
    upstream: {
      open,
      ask: (question, signal) => current.ask(question, signal),
      prepare: () => current.prepare(),
      installedModel: (signal) => current.installedModel(signal),
      close: () => made.close(),
    },
    goOnAs: (next) => {
      current = next;
    },
  };
}
