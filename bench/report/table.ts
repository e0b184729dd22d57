import type { Round } from '../calls/measure.ts';

/** The rounds of one server, in one process. */
export interface Row {
  readonly name: string;
  readonly rounds: readonly Round[];
}

/** The rounds of one server in all its processes, and apart. */
interface JoinedRow extends Row {
  readonly processes: readonly (readonly Round[])[];
}

/** What is shown of a server: the median of a figure of its rounds, and the least CPU time after it. */
const COLUMNS: readonly { readonly head: string; readonly of: (round: Round) => number; readonly digits: number }[] = [
  { head: 'calls/s', of: (round) => round.callsPerSecond, digits: 0 },
  { head: 'p50 ms', of: (round) => round.p50Ms, digits: 1 },
  { head: 'p99 ms', of: (round) => round.p99Ms, digits: 1 },
  { head: 'CPU µs/call', of: (round) => round.cpuMicrosPerCall, digits: 0 },
  { head: 'calls/CPU s', of: (round) => 1e6 / round.cpuMicrosPerCall, digits: 0 },
  { head: 'connections', of: (round) => round.connections, digits: 0 },
  { head: 'messages', of: (round) => round.messagesPerCall, digits: 1 },
  { head: 'server %', of: (round) => round.busy.server * 100, digits: 0 },
  { head: 'generator %', of: (round) => round.busy.generator * 100, digits: 0 },
  { head: 'upstream %', of: (round) => round.busy.upstream * 100, digits: 0 },
];

/** From this share of a core on, a server counts as the one that everybody waits for. */
const SATURATED = 0.9;

/**
 * Writes the medians of all servers, how the others compare to the first, the floor, gateways to what has no
 * engine, and other gateways and doors to the first gateway. Where servers were started several times, it says how their processes differ.
 *
 * @param starts the same servers in the same order, once for each start
 */
export function formatTable(title: string, starts: readonly (readonly Row[])[]): string {
  const rows = join(starts);
  const [floor, ...others] = rows;
  if (floor === undefined) return '';
  const isOfSeveral = starts.length > 1;
  const heads = ['', ...COLUMNS.map(({ head }) => head), 'least CPU µs', ...(isOfSeveral ? ['of processes'] : [])];
  const cells = rows.map((row) => [
    row.name,
    ...COLUMNS.map(({ of, digits }) => median(row.rounds.map((round) => of(round))).toFixed(digits)),
    leastCpu(row).toFixed(0),
    ...(isOfSeveral ? [rangeOf(row.processes.map(medianCpu), 0)] : []),
  ]);
  const widths = heads.map((head, index) => Math.max(...[head, ...cells.map((row) => row[index] ?? '')].map(widthOf)));
  const gateways = others.filter(({ name }) => name.startsWith('gateway'));
  const [shipped, ...further] = gateways;
  const engineless = others.find(({ name }) => name === 'plain');
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join('  ');
  return [
    title,
    ...[heads, ...cells].map(line),
    ...others.map((row) => compare(row, floor)),
    ...(engineless === undefined || shipped === undefined ? [] : [compare(shipped, engineless)]),
    ...(shipped === undefined ? [] : further.map((row) => compare(row, shipped))),
    ...notes(rows),
    '',
  ].join('\n');
}

function join(starts: readonly (readonly Row[])[]): readonly JoinedRow[] {
  return (starts[0] ?? []).map(({ name }, index) => {
    const processes = starts.map((rows) => rows[index]?.rounds ?? []);
    return { name, processes, rounds: processes.flat() };
  });
}

function compare(row: JoinedRow, other: JoinedRow): string {
  const calls = row.rounds.map(
    (round, index) => round.callsPerSecond / (other.rounds[index]?.callsPerSecond ?? Number.NaN),
  );
  const least = (leastCpu(other) / leastCpu(row)).toFixed(2);
  const ofProcesses = row.processes.map((rounds, index) => median(cpuRatios(rounds, other.processes[index] ?? [])));
  return (
    `${row.name} / ${other.name}: ${medianAndRange(calls)} of the calls; ` +
    `by CPU per call ${medianAndRange(cpuRatios(row.rounds, other.rounds))}, by the least ${least}` +
    (ofProcesses.length > 1 ? `, of processes ${rangeOf(ofProcesses, 2)}` : '')
  );
}

/** CPU time of others for a call, divided by that of the round beside it. */
function cpuRatios(rounds: readonly Round[], others: readonly Round[]): readonly number[] {
  return rounds.map((round, index) => (others[index]?.cpuMicrosPerCall ?? Number.NaN) / round.cpuMicrosPerCall);
}

function cpuOf({ cpuMicrosPerCall }: Round): number {
  return cpuMicrosPerCall;
}

function medianCpu(rounds: readonly Round[]): number {
  return median(rounds.map(cpuOf));
}

function notes(rows: readonly Row[]): string[] {
  const idle = rows.filter(({ rounds }) => median(rounds.map(({ busy }) => busy.server)) < SATURATED);
  if (idle.length === 0) return [];
  const names = idle.map(({ name }) => name).join(', ');
  return [`note: with CPU time left, so that calls/s are too low and CPU per call counts: ${names}`];
}

/** The round that was disturbed least: other work makes calls dearer, never cheaper. */
function leastCpu({ rounds }: Row): number {
  return Math.min(...rounds.map(cpuOf));
}

function widthOf(text: string): number {
  return text.length;
}

/** Returns the median; of an even number of values the higher of the two in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Writes the median of values, and their range. */
export function medianAndRange(values: readonly number[], digits = 2): string {
  return `${median(values).toFixed(digits)} (${rangeOf(values, digits)})`;
}

function rangeOf(values: readonly number[], digits: number): string {
  return `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
}

/** Writes a table in Markdown. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
