import type { FailureReason } from '../../core/failure.ts';
import type { AttemptOutput } from './attempt.ts';
import type { Serving } from '../port/call.ts';
import type { ClientStream } from './client-stream.ts';

/**
 * Where the answer of a request goes: to the stream of its caller, or, where there is none, into the result. What an attempt
 * leaves behind there is discarded with it (engine rule G2).
 */
export class Delivery<Output> {
  readonly #stream: ClientStream<Output> | undefined;
  #state: 'gated' | 'flowing' | { readonly brokenBy: FailureReason } = 'gated';
  #outputs: Output[] = [];

  /** @param stream the caller's end of a stream; undefined where the whole answer is in the result */
  constructor(stream: ClientStream<Output> | undefined) {
    this.#stream = stream;
  }

  /** Whether the caller has got any of the answer under way (engine rule G4). */
  get isCommitted(): boolean {
    return this.#state === 'flowing';
  }

  /** Notes that the answer under way broke off and begins anew: the next first output is told as such (engine rule P1a). */
  broke(reason: FailureReason): void {
    this.#state = { brokenBy: reason };
  }

  /** The outputs of the last attempt; empty where they went to a stream. */
  get outputs(): readonly Output[] {
    return this.#outputs;
  }

  /**
   * Returns where the output of the next attempt goes.
   * @param began told of its first output, before that goes anywhere
   */
  forAttempt(serving: () => Serving, began: () => void): AttemptOutput<Output> {
    const outputs: Output[] = [];
    this.#outputs = outputs;
    const stream = this.#stream;
    if (stream === undefined) return collecting(outputs, began);
    return {
      commit: () => {
        began();
        const before = this.#state;
        this.#state = 'flowing';
        if (typeof before === 'object') stream.restarted(serving(), before.brokenBy);
        else stream.started(serving());
      },
      deliver: (value) => stream.output(value),
      whenWritable: (resume) => {
        stream.whenWritable(resume);
      },
    };
  }
}

function collecting<Output>(outputs: Output[], began: () => void): AttemptOutput<Output> {
  return {
    commit: began,
    deliver: (value) => {
      outputs.push(value);
      return true;
    },
    whenWritable: (resume) => {
      resume();
    },
  };
}
