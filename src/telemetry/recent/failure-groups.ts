import type { Failure } from '../../core/failure.ts';
import type { AttemptRecord } from '../../engine/port/call.ts';
import type { FailureGroup } from '../../server/port/shown/recent-history.ts';
import type { CallReport } from '../report/call-report.ts';
import { isOurs } from '../logging/log-fields.ts';
import { SlidingSeries } from './sliding-series.ts';

const MINUTE_MS = 60_000;

/** Groups that are remembered; of targets, reasons and codes there are few, unless a provider makes codes up. */
const MOST_GROUPS = 500;
const MOST_CODE_LENGTH = 64;

interface Group extends Pick<FailureGroup, 'target' | 'reason' | 'code' | 'httpStatus'> {
  readonly all: SlidingSeries;
  readonly ends: SlidingSeries;
  lastAtMs: number;
  lastRequestId: string;
}

/** Counts failures of the last hour by what they have in common: target, reason, code and status. */
export class FailureGroups {
  readonly #groups = new Map<string, Group>();

  /** Counts a failed attempt. `now` is monotonic, `wall` of the epoch. */
  attemptFailed({ entry }: AttemptRecord, failure: Failure, at: { now: number; wall: number }): void {
    countIn(this.#groupOf(entry.target, failure), at);
  }

  /**
   * Notes which call it was whose failed attempts were counted, and whether it has failed itself; a call that has failed without one is
   * counted.
   */
  callEnded({ attempts, outcome, requestId }: CallReport, at: { now: number; wall: number }): void {
    let last: Group | undefined;
    for (const { record } of attempts) {
      const { failure, kind, entry } = record;
      if (failure === undefined || kind === 'SKIPPED') continue;
      last = this.#groupOf(entry.target, failure);
      last.lastRequestId = requestId;
    }
    if (outcome.reason === undefined) return;
    if (last === undefined) {
      last = this.#groupOf(undefined, { reason: outcome.reason });
      last.lastRequestId = requestId;
      countIn(last, at);
    }
    last.ends.add(at.now);
  }

  /** Returns those of the last hour, the most frequent first. */
  list(now: number): readonly FailureGroup[] {
    const shown: FailureGroup[] = [];
    for (const [key, group] of this.#groups) {
      const count = group.all.total(now);
      if (count === 0) {
        this.#groups.delete(key);
        continue;
      }
      const { target, reason, code, httpStatus, lastAtMs, lastRequestId } = group;
      const endedCalls = group.ends.total(now);
      const minutes = group.all.series(now);
      shown.push({
        target,
        reason,
        code,
        httpStatus,
        count,
        endedCalls,
        isOurs: isOurs(reason),
        minutes,
        lastAtMs,
        lastRequestId,
      });
    }
    return shown.sort((one, other) => other.count - one.count);
  }

  #groupOf(target: string | undefined, failure: Alike): Group {
    const { reason, httpStatus } = failure;
    const code = (failure.providerCode ?? failure.brokenBy)?.slice(0, MOST_CODE_LENGTH);
    const key = `${target ?? ''} ${reason} ${code ?? ''} ${httpStatus ?? ''}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    if (this.#groups.size >= MOST_GROUPS) this.#forgetOldest();
    const counts = { all: new SlidingSeries(MINUTE_MS), ends: new SlidingSeries(MINUTE_MS) };
    const made: Group = { target, reason, code, httpStatus, ...counts, lastAtMs: 0, lastRequestId: '' };
    this.#groups.set(key, made);
    return made;
  }

  #forgetOldest(): void {
    const [oldest] = [...this.#groups].sort(([, one], [, other]) => one.lastAtMs - other.lastAtMs);
    if (oldest !== undefined) this.#groups.delete(oldest[0]);
  }
}

type Alike = Pick<Failure, 'reason' | 'providerCode' | 'brokenBy' | 'httpStatus'>;

function countIn(group: Group, { now, wall }: { now: number; wall: number }): void {
  group.all.add(now);
  group.lastAtMs = Math.round(wall);
}
