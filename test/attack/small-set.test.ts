import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ALL_ATTACKS, attackedConfig } from './all-attacks.ts';
import type { AttackedDoors, AttackedProcess } from './attacked-process.ts';
import { startAttackedProcess } from './attacked-process.ts';
import { startHealthyCaller, successOf } from './healthy-caller.ts';
import type { HealthyCaller, HealthyPace } from './healthy-caller.ts';
import { FRAMING_CASES, sendFramingCases, sendMutatedFrames } from './malformed-frames.ts';
import type { SickProvider } from './sick-provider.ts';
import { startSickProvider } from './sick-provider.ts';

/** Attacks of `npm run attack` that take seconds and little memory, held to their faults and to the health of others. */
const HELD: readonly string[] = ['cancels', 'odd-headers', 'odd-timeouts', 'foreign-pages', 'sick-provider'];

/** Memory of the process under attack, in bytes; without frames of 20 MiB it is far below what `npm run attack` allows. */
const MOST_BYTES = 450 * 1024 * 1024;

/** Nothing may fail, however slow the machine is beside other tests; how fast it goes is a matter of `npm run attack`. */
const PACE: HealthyPace = { mostOpen: 12, deadlineMs: 30_000 };

let sick: SickProvider;
let gateway: AttackedProcess;
let caller: HealthyCaller;
let doors: AttackedDoors;

beforeAll(async () => {
  sick = await startSickProvider();
  gateway = await startAttackedProcess(attackedConfig(sick.origin), ['--max-old-space-size=256']);
  caller = startHealthyCaller();
  doors = { ...gateway.doors, sick: sick.calls };
});

afterAll(async () => {
  await gateway.close();
  await caller.close();
  await sick.close();
});

/** Attacks beside healthy calls, and returns what should not have happened. */
async function attacked(attack: () => Promise<readonly string[]>): Promise<readonly string[]> {
  gateway.resetPeak();
  caller.begin(doors, PACE);
  const faults = await attack();
  const healthy = await caller.end();
  return [
    ...faults,
    ...(successOf(healthy) < 1 ? [`healthy calls failed: ${JSON.stringify(healthy.failures)}`] : []),
    ...(gateway.end() === undefined ? [] : ['the process ended']),
    ...(gateway.peakBytes() > MOST_BYTES ? [`${gateway.peakBytes()} bytes`] : []),
  ];
}

// With 256 MB of heap, and healthy calls of another process beside each.
describe.skipIf(process.platform !== 'linux')('a gateway under attack holds against', () => {
  test('ninety malformed framings at both doors', async () => {
    expect(FRAMING_CASES).toHaveLength(90);
    expect(await attacked(() => sendFramingCases(doors, 1))).toEqual([]);
  });

  test('five hundred frames spoiled by chance', async () => {
    expect(await attacked(() => sendMutatedFrames(doors, 7, 500))).toEqual([]);
  });

  test.each(ALL_ATTACKS.filter(({ name }) => HELD.includes(name)))('$name', async ({ run }) => {
    expect(await attacked(() => run(doors, 1))).toEqual([]);
  });

  test('and all names above are those of attacks', () => {
    expect(ALL_ATTACKS.map(({ name }) => name)).toEqual(expect.arrayContaining([...HELD]));
  });
});
