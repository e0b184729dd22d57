import { loadRecordings } from '../support/recordings.ts';
import { fuzz } from './fuzz.ts';

/** Cases between two looks at the memory. */
const BATCH = 5_000;
/** Most that the heap may grow over its size after the first batch, in bytes: what a case holds is below 1 MiB. */
const HEAP_GROWTH = 256 * 1024 * 1024;

const seed = Number(process.env['FUZZ_SEED'] ?? 1);
const wanted = Number(process.env['FUZZ_CASES'] ?? 200_000);
const recordings = loadRecordings();
if (recordings.length === 0) {
  console.log('Nothing to do: ../shared/fixtures is absent.');
} else {
  const startedAt = performance.now();
  let heap = 0;
  let [done, successes, failures] = [0, 0, 0];
  while (done < wanted && process.exitCode === undefined) {
    const report = fuzz(recordings, seed + done, Math.min(BATCH, wanted - done));
    done += report.cases;
    successes += report.successes;
    failures += report.failures;
    for (const { seed: own, id, mutations, what } of report.findings.slice(0, 5)) {
      console.error(`FUZZ_SEED=${own} FUZZ_CASES=1: ${id} after ${mutations.join(', ')}: ${what}`);
      process.exitCode = 1;
    }
    // What waits to be collected is no growth.
    globalThis.gc?.();
    const { heapUsed } = process.memoryUsage();
    heap ||= heapUsed;
    if (heapUsed - heap > HEAP_GROWTH) {
      console.error(`The heap grew from ${heap} to ${heapUsed} bytes by case ${seed + done}.`);
      process.exitCode = 1;
    }
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`${done} cases from seed ${seed} in ${seconds} s: ${successes} successes, ${failures} failures`);
}
