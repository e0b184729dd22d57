import { BACK_SHARE, type Measured } from './measured-attack.ts';

const MIB = 1024 * 1024;
/** Most memory with the default heap, in bytes. */
const MOST_BYTES = 600 * MIB;
/** What the p99 of healthy calls may be: so many times the quiet one, or so many milliseconds. */
const P99_TIMES = 3;
const P99_MS = 50;

/** Says what an attack did that it should not be able to do; nothing where the gateway held. */
export function judgeAttack(measured: Measured, quiet: Measured, hasSmallHeap: boolean): readonly string[] {
  const { end, success, healthy, p99Ms, peakBytes, startBytes, afterBytes, faults } = measured;
  const found = [...faults];
  if (end !== undefined) found.push(`the process ended with ${end.code ?? end.signal}`);
  if (success < 1) found.push(`healthy calls failed: ${JSON.stringify(healthy.failures)}`);
  const mostMs = Math.max(P99_MS, quiet.p99Ms * P99_TIMES);
  if (p99Ms > mostMs) found.push(`p99 ${p99Ms.toFixed(0)} ms, above ${mostMs.toFixed(0)}`);
  if (!hasSmallHeap && peakBytes > MOST_BYTES) found.push(`RSS ${(peakBytes / MIB).toFixed(0)} MB, above 600`);
  if (end === undefined && afterBytes > startBytes * (1 + BACK_SHARE)) {
    found.push(`RSS stayed at ${(afterBytes / MIB).toFixed(0)} MB, from ${(startBytes / MIB).toFixed(0)}`);
  }
  return found;
}

const COLUMNS = ['healthy', 'calls', 'p50 ms', 'p99 ms', 'RSS before', 'most', 'after', 'CPU', 'seconds'];
const NAME_WIDTH = 34;

/** The heads of the columns of {@link attackRow}. */
export const ATTACK_TITLE =
  'attack'.padEnd(NAME_WIDTH) + COLUMNS.map((name) => name.padStart(11)).join('') + '  verdict';

/** Writes one line of the table. */
export function attackRow(measured: Measured, found: readonly string[]): string {
  const { name, success, healthy, p50Ms, p99Ms, startBytes, peakBytes, afterBytes, cpu, seconds } = measured;
  const cells = [
    `${(success * 100).toFixed(success < 1 ? 1 : 0)} %`,
    healthy.calls,
    p50Ms.toFixed(1),
    p99Ms.toFixed(1),
    (startBytes / MIB).toFixed(0),
    (peakBytes / MIB).toFixed(0),
    (afterBytes / MIB).toFixed(0),
    `${(cpu * 100).toFixed(0)} %`,
    seconds.toFixed(1),
  ];
  const verdict = found.length === 0 ? 'holds' : `FAILED: ${found.join('; ')}`;
  return `${name.padEnd(NAME_WIDTH)}${cells.map((cell) => String(cell).padStart(11)).join('')}  ${verdict}`;
}
