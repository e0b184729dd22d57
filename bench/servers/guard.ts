import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into every process that the bench starts (`node --import`): ends it when the bench is gone, tells how much CPU time it
 * has used, and records where CPU time or memory goes within a given stretch, which `--cpu-prof` cannot.
 */

/** What the bench asks of a process. */
export type Ask =
  | { readonly ask: 'cpu' }
  | { readonly ask: 'record'; readonly kind: ProfileKind }
  | { readonly ask: 'save'; readonly kind: ProfileKind; readonly path: string };

/** What is recorded: CPU time, or allocated bytes, whether they are still in use or not. */
export type ProfileKind = 'cpu' | 'heap';

/** What the process answers, when it is done. */
export interface Reply {
  /** CPU time of all threads since the start, in microseconds. */
  readonly cpuMicros: number;
}

/** Microseconds between two samples of what runs. */
const CPU_SAMPLING_MICROS = 500;
/** Bytes, on average, between two samples of what is allocated. */
const HEAP_SAMPLING_BYTES = 16 * 1024;

const session = new Session();

// Threads of the process load it too.
if (isMainThread) {
  if (!process.connected) process.exit();
  process.on('disconnect', () => process.exit());
  process.on('message', (ask: Ask) => {
    void answer(ask);
  });
}

async function answer(ask: Ask): Promise<void> {
  if (ask.ask === 'record') {
    session.connect();
    await (ask.kind === 'cpu' ? recordCpu() : recordHeap());
  } else if (ask.ask === 'save') {
    const profile = await (ask.kind === 'cpu' ? stopCpu() : stopHeap());
    session.disconnect();
    writeFileSync(ask.path, JSON.stringify(profile));
  }
  const { user, system } = process.cpuUsage();
  const reply: Reply = { cpuMicros: user + system };
  process.send?.(reply);
}

async function recordCpu(): Promise<void> {
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: CPU_SAMPLING_MICROS });
  await session.post('Profiler.start');
}

async function recordHeap(): Promise<void> {
  const whatIsGone = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
  await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_SAMPLING_BYTES, ...whatIsGone });
}

async function stopCpu(): Promise<object> {
  const { profile } = await session.post('Profiler.stop');
  return profile;
}

async function stopHeap(): Promise<object> {
  const { profile } = await session.post('HeapProfiler.stopSampling');
  return profile;
}
