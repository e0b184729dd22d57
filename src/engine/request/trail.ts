import type { Failure } from '../../core/failure.ts';
import type { Runtime } from '../../core/ports.ts';
import type { Attempt } from '../attempt/attempt.ts';
import type { AttemptKind, AttemptRecord, ChainEntry } from '../port/call.ts';

/** Longest trail; skips beyond it are only counted. Attempts never are: what they cost hangs on them (engine rules D3, D4). */
const MAX_RECORDS = 32;

/** What is known of an attempt before it starts. */
export interface AttemptStart {
  readonly kind: AttemptKind;
  readonly entry: ChainEntry;
  readonly startedAtMs: number;
  /** The same in milliseconds since the epoch. */
  readonly startedAtWallMs: number;
  readonly waitBeforeMs: number;
  readonly sliceMs: number;
  readonly circuit: AttemptRecord['circuit'];
}

/** Whether anything may have reached a provider (engine rule R7). */
export function wasContacted(records: readonly AttemptRecord[]): boolean {
  return records.some(({ kind, failure }) => kind !== 'SKIPPED' && failure?.neverSent !== true);
}

/** The attempts of one request, in order (engine rule D4). */
export class Trail {
  readonly #startedAtMs: number;
  readonly #records: AttemptRecord[] = [];
  /** The last skip of each entry, so that a refusal that stays is told once. */
  #skips: Map<ChainEntry, string> | undefined;
  #number = 0;
  /** How many attempts were begun. */
  attempts = 0;
  /** How many skips the trail has no room for. */
  skipsLeftOut = 0;

  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
  }

  get records(): readonly AttemptRecord[] {
    return this.#records;
  }

  /** Notes the beginning of an attempt and returns its number. */
  begin(): number {
    this.attempts++;
    return ++this.#number;
  }

  /** Notes that an entry was passed over. */
  skip(entry: ChainEntry, failure: Failure, runtime: Runtime): void {
    if (this.#skips?.get(entry) === failure.reason) return;
    this.#skips ??= new Map();
    this.#skips.set(entry, failure.reason);
    if (this.#records.length >= MAX_RECORDS) {
      this.skipsLeftOut++;
      return;
    }
    this.#records.push({
      number: ++this.#number,
      kind: 'SKIPPED',
      entry,
      failure,
      startedAtWallMs: runtime.wall(),
      startedAfterMs: runtime.now() - this.#startedAtMs,
      durationMs: 0,
      waitBeforeMs: 0,
      outputBytes: 0,
      sliceMs: 0,
      phase: 'SETTLED',
    });
  }

  /** Notes the end of an attempt and returns its record. */
  end<Output, Final>(
    number: number,
    start: AttemptStart,
    attempt: Attempt<Output, Final>,
    failure: Failure | undefined,
  ): AttemptRecord {
    this.#skips?.delete(start.entry);
    const record: AttemptRecord = {
      number,
      kind: start.kind,
      entry: start.entry,
      reportedModel: attempt.reportedModel,
      failure,
      httpStatus: failure?.httpStatus ?? attempt.httpStatus,
      providerRequestId: failure?.providerRequestId ?? attempt.providerRequestId,
      startedAtWallMs: start.startedAtWallMs,
      startedAfterMs: start.startedAtMs - this.#startedAtMs,
      durationMs: attempt.elapsedMs,
      firstOutputMs: attempt.firstOutputMs,
      waitBeforeMs: start.waitBeforeMs,
      usage: attempt.usage,
      outputBytes: attempt.outputBytes,
      sliceMs: start.sliceMs,
      phase: attempt.phase,
      circuit: start.circuit,
    };
    this.#records.push(record);
    return record;
  }
}
