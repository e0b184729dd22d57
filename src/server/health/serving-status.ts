import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import type { Runtime, TimerHandle } from '../../core/ports.ts';
import type { TargetHealth } from '../../engine/port/call.ts';

/** What `grpc.health.v1` says of a service. */
export type ServingState = 'SERVING' | 'NOT_SERVING';

/** Where the process stands. */
export type ProcessPhase = 'starting' | 'ready' | 'draining';

/** Prefix of the names that stand for targets. */
const TARGET_PREFIX = 'understudy.target.';

/** How often the states are looked at while someone watches: circuits close by the passing of time, without an event. */
const POLL_MS = 1000;

/** When they are looked at after a target may have changed: every attempt that ends says so, and a thousand of them are one look. */
const CHANGE_MS = 50;

/** A name that is watched. */
export interface WatchedName {
  /** Its state when it was last looked at; undefined where there is no such name. */
  readonly state: ServingState | undefined;
  /** Stops watching; may be called again. */
  stop(): void;
}

/** Everybody who watches one name. */
interface Watchers {
  state: ServingState | undefined;
  readonly listeners: Set<() => void>;
}

/**
 * Knows the states that `grpc.health.v1`, `/livez` and `/readyz` tell. The server as a whole
 * and its liveness never depend on providers, readiness only on there being a target at all.
 */
export class ServingStatus {
  readonly #targets: () => readonly TargetHealth[];
  readonly #runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>;
  readonly #hasRoom: () => boolean;
  readonly #watched = new Map<string, Watchers>();
  readonly #ends = new Set<() => void>();
  #phase: ProcessPhase = 'starting';
  /** Runs while someone watches. */
  #nextLook: TimerHandle | undefined;
  /** Whether the next look is one after a change. */
  #isLookSoon = false;

  /** @param hasRoom whether something more fits into this process; default: always */
  constructor(
    targets: () => readonly TargetHealth[],
    runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>,
    hasRoom: () => boolean = () => true,
  ) {
    this.#targets = targets;
    this.#runtime = runtime;
    this.#hasRoom = hasRoom;
  }

  /** Whether new calls are wanted here: started, not draining, with a target, and with room. */
  get isReady(): boolean {
    return this.#isReady(this.#targets().length);
  }

  /** Whether the server goes down. */
  get isDraining(): boolean {
    return this.#phase === 'draining';
  }

  /** Says that all doors are open. */
  startServing(): void {
    if (this.#phase === 'starting') this.#phase = 'ready';
    this.#look();
  }

  /** Says that the server goes down; there is no way back. */
  startDraining(): void {
    this.#phase = 'draining';
    this.#look();
    for (const end of this.#ends) end();
  }

  /** Calls back when the server goes down; returns how that is stopped. */
  whenDraining(listener: () => void): () => void {
    this.#ends.add(listener);
    return () => void this.#ends.delete(listener);
  }

  /** Tells the state of a name; undefined where there is no such name. */
  state(name: string): ServingState | undefined {
    if (name === 'liveness') return 'SERVING';
    if (name === 'readiness') return this.isReady ? 'SERVING' : 'NOT_SERVING';
    if (name === '' || name === LlmService.typeName) return this.isDraining ? 'NOT_SERVING' : 'SERVING';
    return name.startsWith(TARGET_PREFIX) ? this.all().get(name) : undefined;
  }

  /** Tells all names and their states. */
  all(): ReadonlyMap<string, ServingState> {
    const targets = this.#targets();
    const whole = this.isDraining ? 'NOT_SERVING' : 'SERVING';
    return new Map<string, ServingState>([
      ['', whole],
      [LlmService.typeName, whole],
      ['liveness', 'SERVING'],
      ['readiness', this.#isReady(targets.length) ? 'SERVING' : 'NOT_SERVING'],
      ...targets.map((target) => [TARGET_PREFIX + target.target, targetState(target)] as const),
    ]);
  }

  /** Says that a target may have changed, so that whoever watches is told soon. Costs next to nothing. */
  changed(): void {
    if (this.#watched.size === 0 || this.#isLookSoon) return;
    this.#isLookSoon = true;
    this.#lookIn(CHANGE_MS);
  }

  /**
   * Watches a name: calls `onChange` after each change of its state. All states are reckoned once for each look, however many
   * watch, and who watches a name hears of it alone.
   */
  watch(name: string, onChange: () => void): WatchedName {
    const watchers = this.#watched.get(name) ?? { state: this.state(name), listeners: new Set() };
    if (this.#watched.size === 0) this.#lookIn(POLL_MS);
    this.#watched.set(name, watchers);
    // Two may give the same function.
    const listener = (): void => onChange();
    watchers.listeners.add(listener);
    return {
      get state() {
        return watchers.state;
      },
      stop: () => {
        watchers.listeners.delete(listener);
        if (watchers.listeners.size > 0 || this.#watched.get(name) !== watchers) return;
        this.#watched.delete(name);
        if (this.#watched.size === 0) this.#stopLooking();
      },
    };
  }

  #isReady(targets: number): boolean {
    return this.#phase === 'ready' && targets > 0 && this.#hasRoom();
  }

  /** Looks at all states and tells those who watch one that has changed. */
  #look(): void {
    if (this.#watched.size === 0) return;
    this.#lookIn(POLL_MS);
    const states = this.all();
    for (const [name, watchers] of this.#watched) {
      const state = states.get(name);
      if (state === watchers.state) continue;
      watchers.state = state;
      for (const listener of watchers.listeners) listener();
    }
  }

  #lookIn(ms: number): void {
    if (this.#nextLook !== undefined) this.#runtime.clearTimer(this.#nextLook);
    this.#nextLook = this.#runtime.setTimer(ms, () => {
      this.#isLookSoon = false;
      this.#look();
    });
  }

  #stopLooking(): void {
    if (this.#nextLook !== undefined) this.#runtime.clearTimer(this.#nextLook);
    this.#nextLook = undefined;
    this.#isLookSoon = false;
  }
}

/** A target serves while any of its circuits is usable. */
function targetState(target: TargetHealth): ServingState {
  return target.available ? 'SERVING' : 'NOT_SERVING';
}
