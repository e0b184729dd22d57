import { periodOf } from '../../core/calendar.ts';
import type { TargetHealth } from '../../engine/port/call.ts';
import type { BudgetState, CallerActivity, CallTraffic, DayCost, FailureGroup } from '../port/shown/recent-history.ts';
import type { RecentCall, TargetTraffic } from '../port/shown/recent-history.ts';
import type { RefusedConfig, ShownDoors, StatusParts } from '../port/shown/status-parts.ts';
import type { LedgerCosts, LedgerDay } from './ledger-costs.ts';

/** So much of each list is shown. */
const MOST_FAILURES = 60;
const MOST_CALLS = 25;
const MOST_CALLERS = 200;
const MOST_CIRCUITS = 30;

const MIB = 1024 * 1024;

/** What the page shows, by the name of its part. Times are milliseconds since the epoch, money is nano-USD. */
export interface ShownSections {
  readonly process: {
    readonly version: string;
    readonly startedAtMs: number;
    readonly isReady: boolean;
    /** Whether AdminService is there. */
    readonly canOperate: boolean;
    readonly doors?: ShownDoors | undefined;
    readonly hasLedger: boolean;
    readonly refusedConfig?: RefusedConfig | undefined;
  };
  readonly load: CallTraffic & {
    readonly active: number;
    readonly maxActive: number;
    readonly queued: number;
    readonly refused: number;
    readonly isOverloaded: boolean;
    readonly memoryMib: number;
    readonly memoryLimitMib: number;
    /** Attempts that wait for the ledger, and that are lost to it. */
    readonly ledgerWaiting?: number | undefined;
    readonly ledgerDropped?: number | undefined;
    /** Since when its store has taken no rows, in milliseconds since the epoch; undefined where nothing is known against it. */
    readonly ledgerGoneSinceMs?: number | undefined;
    readonly isLimitStoreUp?: boolean | undefined;
  };
  /** What today costs, whose figure that is, and from when on it is counted. */
  readonly costs: {
    readonly today: DayCost;
    readonly source: 'ledger' | 'process';
    readonly sinceMs: number;
  };
  /** The targets, in the order of the configuration. */
  readonly order: readonly string[];
  readonly failures: readonly FailureGroup[];
  readonly calls: readonly Omit<RecentCall, 'attempts' | 'labels'>[];
  readonly callers: readonly CallerActivity[];
  readonly budgets: readonly BudgetState[];
}

/** What the page shows of a target, as `target:NAME`. */
export interface TargetSection {
  readonly name: string;
  readonly provider: string;
  readonly isAvailable: boolean;
  readonly suspendedReason?: string | undefined;
  readonly rateLimitedUntilMs?: number | undefined;
  readonly circuit: TargetHealth['circuit'];
  /** Those that are not closed first. */
  readonly circuits: readonly {
    readonly model: string;
    readonly state: TargetHealth['circuit'];
    readonly reopensAtMs?: number | undefined;
  }[];
  readonly inFlight: number;
  readonly lastMinute: number;
  readonly failedLastMinute: number;
  /** Of the minute under way. */
  readonly thisMinute: number;
  readonly failedThisMinute: number;
  readonly p50Ms?: number | undefined;
  readonly p95Ms?: number | undefined;
  readonly firstOutputP95Ms?: number | undefined;
  readonly lastError?: string | undefined;
  readonly costToday: DayCost;
}

/** What the page shows of the past hour of a target, as `history:NAME`: its minutes but for the one under way. */
export interface HistorySection {
  readonly minutes: readonly number[];
  readonly failedMinutes: readonly number[];
}

/** What {@link shownSections} reads. */
export interface SectionSources extends StatusParts {
  readonly isReady: () => boolean;
  readonly canOperate: boolean;
  readonly doors?: (() => ShownDoors) | undefined;
  readonly costs?: Pick<LedgerCosts, 'look'> | undefined;
  /** Milliseconds since the epoch, now and at the start of the process. */
  readonly wallMs: number;
  readonly startedAtMs: number;
}

/** Returns all that is shown, each part with its key. */
export function* shownSections(sources: SectionSources): Generator<readonly [key: string, section: unknown]> {
  const { gateway, history, wallMs, costs } = sources;
  const ofLedger = costs?.look();
  const targets = gateway.targets();
  const today = { nanoUsd: 0, unknownAttempts: 0 };
  for (const health of targets) {
    const { target: name } = health;
    const traffic = history.target(name);
    const costToday = ofLedger === undefined ? traffic.costToday : (ofLedger.targets.get(name) ?? NO_COST);
    today.nanoUsd += costToday.nanoUsd;
    today.unknownAttempts += costToday.unknownAttempts;
    yield [`target:${name}`, targetSection(health, { ...traffic, costToday }, wallMs)];
    const { minutes, failedMinutes } = traffic;
    const past: HistorySection = { minutes: minutes.slice(0, -1), failedMinutes: failedMinutes.slice(0, -1) };
    yield [`history:${name}`, past];
  }
  const sections: ShownSections = {
    ...ofProcess(sources),
    costs: {
      today,
      source: ofLedger === undefined ? 'process' : 'ledger',
      sinceMs: ofLedger === undefined ? history.countedSinceMs() : periodOf('day', wallMs).startMs,
    },
    order: targets.map(({ target }) => target),
    failures: history.failures().slice(0, MOST_FAILURES),
    calls: history
      .troubled()
      .slice(0, MOST_CALLS)
      .map(({ attempts: _attempts, labels: _labels, ...call }) => call),
    callers: history
      .callers()
      .slice(0, MOST_CALLERS)
      .map((caller) => withCost(caller, ofLedger)),
    budgets: history.budgets().slice(0, MOST_CALLERS),
  };
  yield* Object.entries(sections);
}

function withCost(caller: CallerActivity, ofLedger: LedgerDay | undefined): CallerActivity {
  return ofLedger === undefined ? caller : { ...caller, costToday: ofLedger.callers.get(caller.name) ?? NO_COST };
}

const NO_COST: DayCost = { nanoUsd: 0, unknownAttempts: 0 };

function ofProcess(sources: SectionSources): Pick<ShownSections, 'process' | 'load'> {
  const { gateway, history, isReady, canOperate, doors, ledger, limitStore, startedAtMs } = sources;
  const { active, maxActive, queued, refused, isOverloaded } = sources.load();
  const { usedBytes, limitBytes } = sources.memory();
  const hasLedger = ledger !== undefined;
  return {
    process: {
      version: gateway.version,
      startedAtMs,
      isReady: isReady(),
      canOperate,
      doors: doors?.(),
      hasLedger,
      refusedConfig: sources.refusedConfig(),
    },
    load: {
      ...history.calls(),
      active,
      maxActive,
      queued,
      refused: Object.values(refused).reduce((sum, count) => sum + count, 0),
      isOverloaded,
      memoryMib: Math.round(usedBytes / MIB),
      memoryLimitMib: Math.round(limitBytes / MIB),
      ledgerWaiting: ledger?.waiting,
      ledgerDropped: ledger?.dropped,
      ledgerGoneSinceMs: ledger?.storeGoneSinceMs,
      isLimitStoreUp: limitStore?.isUp,
    },
  };
}

function targetSection(health: TargetHealth, traffic: TargetTraffic, wallMs: number): TargetSection {
  const { rateLimitedForMs, circuits } = health;
  return {
    name: health.target,
    provider: health.provider,
    isAvailable: health.available,
    suspendedReason: health.suspendedReason,
    rateLimitedUntilMs: rateLimitedForMs === undefined ? undefined : inWholeSeconds(wallMs + rateLimitedForMs),
    circuit: health.circuit,
    circuits: [
      ...circuits.filter(({ state }) => state !== 'CLOSED'),
      ...circuits.filter(({ state }) => state === 'CLOSED'),
    ]
      .slice(0, MOST_CIRCUITS)
      .map(({ model, state, reopensInMs }) => ({
        model,
        state,
        reopensAtMs: reopensInMs === undefined ? undefined : inWholeSeconds(wallMs + reopensInMs),
      })),
    inFlight: health.inFlight,
    lastMinute: traffic.lastMinute,
    failedLastMinute: traffic.failedLastMinute,
    thisMinute: traffic.minutes.at(-1) ?? 0,
    failedThisMinute: traffic.failedMinutes.at(-1) ?? 0,
    p50Ms: health.latencyP50Ms,
    p95Ms: health.latencyP95Ms,
    firstOutputP95Ms: health.firstOutputP95Ms,
    lastError: health.lastError,
    costToday: traffic.costToday,
  };
}

/** What is reckoned anew each second would otherwise change each time. */
function inWholeSeconds(atMs: number): number {
  return Math.round(atMs / 1_000) * 1_000;
}
