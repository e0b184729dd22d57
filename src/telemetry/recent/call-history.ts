import type { Runtime } from '../../core/ports.ts';
import type {
  BudgetState,
  CallerActivity,
  CallTraffic,
  FailureGroup,
  RecentCall,
  RecentHistory,
  TargetTraffic,
} from '../../server/port/shown/recent-history.ts';
import { isOurs } from '../logging/log-fields.ts';
import type { AttemptRecord } from '../../engine/port/call.ts';
import type { SpentOf } from '../metering/caller-metrics.ts';
import type { CallReport } from '../report/call-report.ts';
import { CallRing } from './call-ring.ts';
import { CallerActivities } from './caller-activities.ts';
import { DayCosts } from './day-costs.ts';
import { FailureGroups } from './failure-groups.ts';
import { rememberedCall } from './remembered-call.ts';
import { TrafficCounts } from './traffic-counts.ts';

/** Calls in trouble, and others, each: so that the others do not drive out those in trouble. */
const MOST_CALLS = 1_000;

/** Remembers the last calls of this process, in bounds. */
export class CallHistory implements RecentHistory {
  readonly #clock: Pick<Runtime, 'now' | 'wall'>;
  readonly #traffic = new TrafficCounts();
  readonly #targets = new Map<string, TrafficCounts>();
  readonly #costs: DayCosts;
  readonly #failures = new FailureGroups();
  readonly #callers: CallerActivities;
  readonly #others = new CallRing(MOST_CALLS);
  readonly #troubled = new CallRing(MOST_CALLS);

  /** @param spentOf what accounts have spent; default: nobody knows */
  constructor(clock: Pick<Runtime, 'now' | 'wall'>, spentOf: SpentOf = () => []) {
    this.#clock = clock;
    this.#costs = new DayCosts(clock.wall());
    this.#callers = new CallerActivities(spentOf, clock.wall());
  }

  /** Counts an attempt as soon as it has ended: its call may go on for long. */
  attemptEnded(record: AttemptRecord): void {
    const at = this.#at();
    const { failure, entry } = record;
    this.#countsOf(entry.target).add(failure !== undefined && isOurs(failure.reason), at.now);
    if (failure !== undefined) this.#failures.attemptFailed(record, failure, at);
  }

  /** Remembers a call whose attempts were counted. */
  callEnded(end: CallReport): void {
    const at = this.#at();
    const { attempts, outcome } = end;
    this.#traffic.add(outcome.reason !== undefined && isOurs(outcome.reason), at.now);
    for (const { record, cost } of attempts)
      if (cost !== undefined) this.#costs.add(record.entry.target, cost, at.wall);
    this.#failures.callEnded(end, at);
    this.#callers.callEnded(end, at);
    (isTroubled(end) ? this.#troubled : this.#others).add(rememberedCall(end, at.wall));
  }

  calls(): CallTraffic {
    const { now } = this.#at();
    return { ...this.#traffic.lastMinute(now), ...this.#traffic.lastHour(now) };
  }

  target(name: string): TargetTraffic {
    const { now, wall } = this.#at();
    const counts = this.#targets.get(name) ?? new TrafficCounts();
    return { ...counts.lastMinute(now), ...counts.minutes(now), costToday: this.#costs.of(name, wall) };
  }

  failures(): readonly FailureGroup[] {
    return this.#failures.list(this.#clock.now());
  }

  troubled(): readonly RecentCall[] {
    return [...this.#troubled.newest()];
  }

  callers(): readonly CallerActivity[] {
    return this.#callers.list(this.#at());
  }

  budgets(): readonly BudgetState[] {
    return this.#callers.budgets(this.#clock.wall());
  }

  find(requestId: string): readonly RecentCall[] {
    return [...this.#troubled.newest(), ...this.#others.newest()]
      .filter((call) => call.requestId === requestId)
      .sort((one, other) => other.startedAtMs - one.startedAtMs);
  }

  countedSinceMs(): number {
    return this.#costs.sinceMs(this.#clock.wall());
  }

  #at(): { readonly now: number; readonly wall: number } {
    return { now: this.#clock.now(), wall: this.#clock.wall() };
  }

  #countsOf(target: string): TrafficCounts {
    const known = this.#targets.get(target);
    if (known !== undefined) return known;
    const made = new TrafficCounts();
    this.#targets.set(target, made);
    return made;
  }
}

/** Whether an operator should look at a call: it has failed, or an attempt of it has, and its caller is not to blame. */
function isTroubled({ outcome, attempts }: CallReport): boolean {
  if (outcome.reason !== undefined && isOurs(outcome.reason)) return true;
  return attempts.some(({ record: { kind, failure } }) => kind !== 'SKIPPED' && failure && isOurs(failure.reason));
}
