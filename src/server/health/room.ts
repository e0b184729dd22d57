import type { Runtime } from '../../core/ports.ts';
import type { EngineLoad } from '../../engine/port/engine-load.ts';

/** All slots must have been taken for so long, in milliseconds, before nothing fits: what is full for a moment takes others soon. */
const FULL_MS = 1_000;
/** Where the process had too much to do, so many milliseconds must pass without that before something fits again. */
const RECOVERY_MS = 5_000;

/**
 * Whether something more fits into this process, for load balancers. It does not flap: slots count as taken until a tenth of them
 * is free again, and both ways it takes its time (engine rule A3). One caller that has used its share up is no reason.
 */
export class Room {
  readonly #load: () => Pick<EngineLoad, 'fullForMs' | 'isOverloaded'>;
  readonly #runtime: Pick<Runtime, 'now'>;
  #recoversAtMs = Number.NEGATIVE_INFINITY;

  constructor(load: () => Pick<EngineLoad, 'fullForMs' | 'isOverloaded'>, runtime: Pick<Runtime, 'now'>) {
    this.#load = load;
    this.#runtime = runtime;
  }

  /** Whether there is some; to be asked whenever somebody wants to know. */
  readonly isLeft = (): boolean => {
    const { fullForMs, isOverloaded } = this.#load();
    const nowMs = this.#runtime.now();
    if (isOverloaded) this.#recoversAtMs = nowMs + RECOVERY_MS;
    return fullForMs < FULL_MS && nowMs >= this.#recoversAtMs;
  };
}
