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

/**
 * Knows the states that `grpc.health.v1`, `/livez` and `/readyz` tell. The server as a whole
 * and its liveness never depend on providers, readiness only on there being a target at all.
 */
export class ServingStatus {
  readonly #targets: () => readonly TargetHealth[];
  readonly #runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>;
  readonly #watchers = new Set<() => void>();
  #phase: ProcessPhase = 'starting';
  #poll: TimerHandle | undefined;

  constructor(targets: () => readonly TargetHealth[], runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>) {
    this.#targets = targets;
    this.#runtime = runtime;
  }

  /** Whether new calls are wanted here: started, not draining, and with a target. */
  get isReady(): boolean {
    return this.#phase === 'ready' && this.#targets().length > 0;
  }

  /** Whether the server goes down. */
  get isDraining(): boolean {
    return this.#phase === 'draining';
  }

  /** Says that all doors are open. */
  startServing(): void {
    if (this.#phase === 'starting') this.#phase = 'ready';
    this.changed();
  }

  /** Says that the server goes down; there is no way back. */
  startDraining(): void {
    this.#phase = 'draining';
    this.changed();
  }

  /** Tells the state of a name; undefined where there is no such name. */
  state(name: string): ServingState | undefined {
    if (name === 'liveness') return 'SERVING';
    if (name === 'readiness') return this.isReady ? 'SERVING' : 'NOT_SERVING';
    if (name === '' || name === LlmService.typeName) return this.isDraining ? 'NOT_SERVING' : 'SERVING';
    if (!name.startsWith(TARGET_PREFIX)) return undefined;
    const target = this.#targets().find((candidate) => TARGET_PREFIX + candidate.target === name);
    return target === undefined ? undefined : targetState(target);
  }

  /** Tells all names and their states. */
  all(): ReadonlyMap<string, ServingState> {
    const names = ['', LlmService.typeName, 'liveness', 'readiness'];
    const states = new Map(names.map((name) => [name, this.state(name) ?? 'NOT_SERVING']));
    for (const target of this.#targets()) states.set(TARGET_PREFIX + target.target, targetState(target));
    return states;
  }

  /** Tells the watchers that some state may have changed. To be called when a target has. */
  changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Calls `onChange` whenever some state may have changed, until the returned function is called. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    if (this.#poll === undefined) this.#schedule();
    return () => {
      this.#watchers.delete(onChange);
      if (this.#watchers.size > 0 || this.#poll === undefined) return;
      this.#runtime.clearTimer(this.#poll);
      this.#poll = undefined;
    };
  }

  #schedule(): void {
    this.#poll = this.#runtime.setTimer(POLL_MS, () => {
      this.#schedule();
      this.changed();
    });
  }
}

/** A target serves while any of its circuits is usable. */
function targetState(target: TargetHealth): ServingState {
  return target.available ? 'SERVING' : 'NOT_SERVING';
}
