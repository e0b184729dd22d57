import type { DescMessage, DescMethod } from '@bufbuild/protobuf';
import { createHandlerContext } from '@connectrpc/connect';
import type { ConnectError, HandlerContext } from '@connectrpc/connect';

import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import type { Runtime } from '../../core/ports.ts';
import { MAX_TIMER_MS } from '../../core/ports.ts';
import type { CallFailure } from '../../engine/port/call.ts';
import { callError, endedByShutdown, invalidRequest, shutdownReason } from '../errors/status.ts';
import { collectViolations } from '../port/violations.ts';
import type { Report, Violation } from '../port/violations.ts';
import { checkPlainMessage } from '../validation/plain-message.ts';

/** What a call may bring along. */
export interface LocalCallOptions {
  /** Aborts the call and with it the provider's. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The deadline of the call in milliseconds from now. Default, and what 0 stands for: 600,000. What is longer than any timer,
   * Infinity among it, is the longest that the gateway allows.
   */
  readonly timeoutMs?: number | undefined;
}

/** What calls within this process need of the gateway. */
export interface LocalCallsParts {
  readonly newRequestId: () => string;
  readonly runtime: Pick<Runtime, 'random' | 'setTimer' | 'clearTimer'>;
}

/** The context of a call, which ends with it. */
type LocalContext = HandlerContext & { abort(reason?: unknown): void };

/** The calls of a program to the gateway in it: what a door does for those that come by it. */
export class LocalCalls {
  readonly #parts: LocalCallsParts;
  readonly #shutdown = new AbortController();
  readonly #whenIdle: (() => void)[] = [];
  #open = 0;
  #isEnding = false;

  constructor(parts: LocalCallsParts) {
    this.#parts = parts;
  }

  /**
   * Begins a call. Throws a ConnectError: INVALID_ARGUMENT with all its fields for a request or options whose types are wrong, and
   * for a deadline that is none; UNAVAILABLE once {@link end} was called.
   */
  begin(method: DescMethod, request: unknown, options: LocalCallOptions = {}): LocalContext {
    this.#check(method.input, request, options);
    if (this.#isEnding) throw this.#error(endedByShutdown(false));
    const { signal } = options;
    const timeoutMs = usableTimeoutMs(options.timeoutMs);
    const context = createHandlerContext({
      service: LlmService,
      method,
      protocolName: 'local',
      requestMethod: 'POST',
      url: `local:/${LlmService.typeName}/${method.name}`,
      shutdownSignal: this.#shutdown.signal,
      ...(signal && { requestSignal: signal }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    this.#open += 1;
    return context;
  }

  /** Ends a call whose answer is out, or whose caller has left. */
  finish(context: LocalContext): void {
    context.abort();
    this.#open -= 1;
    if (this.#open > 0) return;
    for (const tell of this.#whenIdle.splice(0)) tell();
  }

  /** Takes no more calls, lets those under way go on for `graceMs` milliseconds, and ends what is left as SHUTTING_DOWN. */
  async end(graceMs: number): Promise<void> {
    this.#isEnding = true;
    if (graceMs > 0 && this.#open > 0) {
      const { runtime } = this.#parts;
      await new Promise<void>((resolve) => {
        const timer = runtime.setTimer(Math.min(graceMs, MAX_TIMER_MS), resolve);
        this.#whenIdle.push(() => {
          runtime.clearTimer(timer);
          resolve();
        });
      });
    }
    this.#shutdown.abort(shutdownReason());
  }

  #check(input: DescMessage, request: unknown, options: LocalCallOptions): void {
    const violations = collectViolations((report) => {
      checkPlainMessage(input, request, report);
      checkCallOptions(options, report);
    });
    if (violations.length > 0) throw this.#error(invalidRequest(violations), violations);
  }

  #error(failure: CallFailure, violations: readonly Violation[] = []): ConnectError {
    const { newRequestId, runtime } = this.#parts;
    return callError(failure, { requestId: newRequestId(), random: () => runtime.random(), violations });
  }
}

/** Makes of a deadline that was checked one that a timer takes; undefined for none. */
function usableTimeoutMs(timeoutMs: number | undefined): number | undefined {
  return timeoutMs === undefined || timeoutMs === 0 ? undefined : Math.min(Math.ceil(timeoutMs), MAX_TIMER_MS);
}

function checkCallOptions(options: unknown, report: Report): void {
  if (typeof options !== 'object' || options === null) {
    report('options', 'must be an object');
    return;
  }
  const { timeoutMs, signal }: { readonly timeoutMs?: unknown; readonly signal?: unknown } = options;
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    report('timeoutMs', 'must be a number of milliseconds, 0 or more');
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) report('signal', 'must be an AbortSignal');
}
