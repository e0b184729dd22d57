import type { Holdings } from './probe.ts';
import type { Seen } from './callers.ts';

/** What was seen at one moment. */
export interface Sample {
  /** Seconds since the beginning. */
  readonly atS: number;
  /** Whether it was taken in a pause. */
  readonly isQuiet: boolean;
  readonly holdings: Holdings;
  /** Calls that the gateway says are under way. */
  readonly inFlight: number;
  /** Calls that the providers have under way. */
  readonly openCalls: number;
  readonly seen: Omit<Seen, 'wrong' | 'unexpected'> & { readonly wrong: number; readonly unexpected: number };
}

const MIB = 1024 * 1024;
/** What the heap of a process in its pauses may be above where it was after its warm-up. */
const HEAP_SLACK_BYTES = 4 * MIB;
const HEAP_SLACK_SHARE = 0.1;
/** Share of calls that may be turned away, on a machine that others use too. */
const MOST_SHED_SHARE = 0.05;
/** Pauses of the warm-up: compiled code, pools and histograms reach their sizes. */
const WARM_UP = 1;
/** Connections of the callers, listening sockets and the channel to the parent may be told of in other ways each time. */
const HANDLE_SLACK = 2;

const COLUMNS = [
  'time',
  'load',
  'calls',
  'good',
  'again',
  'broken',
  'left',
  'shed',
  'chars',
  'wrong',
  'odd',
  'heap MiB',
  'rss MiB',
  'sockets',
  'timers',
  'others',
  'open',
];

/** The heads of the columns of {@link row}. */
export const TITLE = COLUMNS.map((name) => name.padStart(9)).join('');

/** Writes one line of the table. */
export function row(sample: Sample | undefined): string {
  if (sample === undefined) return '';
  const { holdings, seen } = sample;
  const { sockets, timers, others } = handles(holdings);
  const cells = [
    `${sample.atS.toFixed(0)} s`,
    sample.isQuiet ? 'pause' : 'load',
    seen.calls,
    seen.answered,
    seen.restarted,
    seen.interrupted,
    seen.cancelled,
    seen.shed,
    seen.characters,
    seen.wrong,
    seen.unexpected,
    (holdings.heapBytes / MIB).toFixed(1),
    (holdings.residentBytes / MIB).toFixed(0),
    sockets,
    timers,
    others,
    `${sample.inFlight}/${sample.openCalls}`,
  ];
  return cells.map((cell) => String(cell).padStart(9)).join('');
}

/** Says what is wrong with a run; nothing where all is well. */
export function judge(samples: readonly Sample[]): string[] {
  const found: string[] = [];
  const pauses = samples.filter(({ isQuiet }) => isQuiet);
  const last = pauses.at(-1);
  const first = pauses[Math.min(WARM_UP - 1, pauses.length - 1)];
  if (last === undefined || first === undefined) return ['nothing was measured'];
  // The first calls of a cold process come all at once, and may be too much for it.
  const warm = { unexpected: last.seen.unexpected - first.seen.unexpected, shed: last.seen.shed - first.seen.shed };
  const { unexpected, shed } = first === last ? last.seen : warm;
  if (last.seen.wrong > 0) found.push(`${last.seen.wrong} texts had lost or doubled characters`);
  if (unexpected > 0) found.push(`${unexpected} calls ended as nobody could expect`);
  if (shed > last.seen.calls * MOST_SHED_SHARE) found.push(`${shed} calls were turned away`);
  if (last.seen.answered === 0) found.push('no call was answered');
  for (const { atS, inFlight, openCalls } of pauses) {
    if (inFlight > 0 || openCalls > 0)
      found.push(`after ${atS.toFixed(0)} s calls were left over: ${inFlight}/${openCalls}`);
  }
  const limit = first.holdings.heapBytes * (1 + HEAP_SLACK_SHARE) + HEAP_SLACK_BYTES;
  if (last.holdings.heapBytes > limit)
    found.push(`the heap grew from ${first.holdings.heapBytes} to ${last.holdings.heapBytes} bytes`);
  for (const kind of ['sockets', 'timers', 'others'] as const) {
    const [before, after] = [handles(first.holdings)[kind], handles(last.holdings)[kind]];
    if (after > before + HANDLE_SLACK) found.push(`${kind} grew from ${before} to ${after}`);
  }
  return found;
}

function handles({ resources }: Holdings): {
  readonly sockets: number;
  readonly timers: number;
  readonly others: number;
} {
  let [sockets, timers, others] = [0, 0, 0];
  for (const [kind, count] of Object.entries(resources)) {
    if (kind.startsWith('TCP')) sockets += count;
    else if (kind === 'Timeout' || kind === 'Immediate') timers += count;
    else others += count;
  }
  return { sockets, timers, others };
}
