import type { Exemplar } from './read-metric.ts';

/** prom-client passes the values of a metric on as they are, and knows of exemplars only in a form of its own. */
const EXEMPLARS = new WeakMap<object, Exemplar>();

/** Notes the exemplar of a value that is read. */
export function noteExemplar(value: object, exemplar: Exemplar): void {
  EXEMPLARS.set(value, exemplar);
}

/** Returns the exemplar of a value that was read; undefined where it has none. */
export function exemplarOf(value: object): Exemplar | undefined {
  return EXEMPLARS.get(value);
}
