import { OTHER_MODELS } from '../../core/model-id.ts';
import type { CircuitState, TargetHealth } from '../port/call.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { Circuits } from './circuits.ts';
import type { OperatorState, OperatorSwitch } from './operator-switch.ts';

/** A circuit as people see it. */
type ShownCircuit = TargetHealth['circuits'][number];

/** The circuits of a target for people. */
export interface ShownCircuits {
  /** Every one of them. */
  readonly all: readonly ShownCircuit[];
  /** The same, but one, `other`, stands for all that only callers name and that are in no other state than it. */
  readonly summary: readonly ShownCircuit[];
}

/** Returns the circuits of a target as an operator's wishes let them be. */
export function shownCircuits(circuits: Circuits, operator: OperatorSwitch): ShownCircuits {
  const unnamed = circuits
    .unnamed()
    .map(([model, breaker]) => shown(model, breaker, operator.of(OTHER_MODELS, model), OTHER_MODELS));
  const breakers = new Map<string, CircuitBreaker | undefined>();
  for (const [key, { breaker }] of circuits.entries()) breakers.set(key, breaker);
  for (const key of operator.named) {
    if (!breakers.has(key) && !unnamed.some(({ model }) => model === key)) breakers.set(key, undefined);
  }
  const named = [...breakers].map(([key, breaker]) => shown(key, breaker, operator.of(key)));
  if (unnamed.length === 0) return { all: named, summary: named };
  const others = named.find(({ model }) => model === OTHER_MODELS);
  const usual = others?.state ?? shownState(operator.of(OTHER_MODELS), 'CLOSED');
  const special = unnamed.filter(({ state }) => state !== usual);
  const isMissing = others === undefined && special.length < unnamed.length;
  const standIn: readonly ShownCircuit[] = isMissing ? [{ model: OTHER_MODELS, state: usual }] : [];
  return { all: [...named, ...unnamed], summary: [...named, ...standIn, ...special] };
}

/** What an operator wants shows before what the circuit itself says; a target that is out of use keeps its circuits' states. */
export function shownState(wish: OperatorState, own: CircuitState): CircuitState {
  return wish === 'OPEN' || wish === 'CLOSED' ? wish : own;
}

function shown(
  model: string,
  breaker: CircuitBreaker | undefined,
  wish: OperatorState,
  circuit?: string,
): ShownCircuit {
  const state = shownState(wish, breaker?.state ?? 'CLOSED');
  const reopensInMs = state === 'OPEN' && wish === 'AUTOMATIC' ? breaker?.refusesForMs() : undefined;
  return { model, circuit, state, reopensInMs };
}
