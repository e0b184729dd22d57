import type { Script } from '../support/upstream-scripts.ts';
import { after } from '../support/upstream-scripts.ts';
import type { SimRequest, Tape } from './tape.ts';

/** A pace where a tape names none, in milliseconds. */
const USUAL_PACE_MS = 200;

/** Returns the median time to the first output of a request at a target that is well, in milliseconds, what it thinks not counted. */
export function paceMs(tape: Tape, { promptTokens = 0 }: SimRequest, target: string, nowMs: number): number {
  return targetPaceMs(tape, target, nowMs) + promptTokens * (tape.readMsPerToken ?? 0);
}

function targetPaceMs({ drifts, paceMs: paces }: Tape, target: string, nowMs: number): number {
  const points = drifts?.[target] ?? [];
  const next = points.findIndex(({ atMs }) => atMs > nowMs);
  const to = points[next];
  const from = next === -1 ? points.at(-1) : points[next - 1];
  if (from === undefined) return to?.paceMs ?? paces[target] ?? USUAL_PACE_MS;
  if (to === undefined) return from.paceMs;
  return from.paceMs + ((to.paceMs - from.paceMs) * (nowMs - from.atMs)) / (to.atMs - from.atMs);
}

/** Lets an answer be thought over: before its first words where it streams, otherwise before everything. */
export function thoughtOver(script: Script, { thinkMs = 0 }: SimRequest, streams: boolean): Script {
  if (thinkMs === 0) return script;
  const index = streams ? script.findIndex(({ event }) => event.type === 'output') : 0;
  return script.map((step, at) => (at === index ? after(step.afterMs + thinkMs, step.event) : step));
}
