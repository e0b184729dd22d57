import { parseArgs } from 'node:util';
import { setTimeout as passed } from 'node:timers/promises';

import { ALL_ATTACKS, attackedConfig } from './all-attacks.ts';
import type { Attack } from './attack.ts';
import { CREDENTIAL_ATTACKS, guardedConfig } from './credential-attacks.ts';
import type { AttackedProcess } from './attacked-process.ts';
import { startAttackedProcess } from './attacked-process.ts';
import { startHealthyCaller } from './healthy-caller.ts';
import { ATTACK_TITLE, attackRow, judgeAttack } from './judged-attacks.ts';
import type { Measured } from './measured-attack.ts';
import { measureAttack } from './measured-attack.ts';
import { sendFramingCases, sendMutatedFrames } from './malformed-frames.ts';
import { startSickProvider } from './sick-provider.ts';

const HELP = `Usage: npm run attack -- [--only name,name] [--heap 256] [--seed 1]

Attacks a gateway of its own process, on the mock and on 127.0.0.1 alone, with healthy calls of another process beside it; first
with the heap that Node takes by default, then with the small one of --heap (0: not at all). Ends with 0 where the gateway held.
Linux: memory and time are read from /proc.

${[...ALL_ATTACKS, ...CREDENTIAL_ATTACKS].map(({ name }) => `  ${name}`).join('\n')}
`;

const QUIET_MS = 5_000;

/** The first calls of a process load and compile what all later ones use; the first that are wrong do so for errors. */
const WARM_UP: Attack = {
  name: 'warm-up',
  withinMs: 60_000,
  run: async (doors, seed) => {
    await passed(QUIET_MS);
    return [...(await sendFramingCases(doors, 2)), ...(await sendMutatedFrames(doors, seed + 1_000_000, 1_500))];
  },
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      heap: { type: 'string', default: '256' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const only = values.only?.split(',');
  const seed = Number(values.seed);
  const noFlags: readonly string[] = [];
  const heaps = [{ name: 'the default heap', flags: noFlags }];
  if (Number(values.heap) > 0) {
    heaps.push({ name: `${values.heap} MB of heap`, flags: [`--max-old-space-size=${values.heap}`] });
  }
  let failed = 0;
  for (const { name, flags } of heaps) {
    for (const [all, guarded] of [
      [ALL_ATTACKS, false],
      [CREDENTIAL_ATTACKS, true],
    ] as const) {
      const attacks = all.filter((attack) => only?.includes(attack.name) ?? true);
      if (attacks.length > 0) failed += await attackAll({ name, flags, guarded }, attacks, seed);
    }
  }
  console.log(failed === 0 ? '\nVerdict: the doors held.' : `\nVerdict: FAILED, ${failed} times.`);
  return failed === 0 ? 0 : 1;
}

/** A gateway that is attacked: with which flags of Node, and whether it asks who calls. */
interface AttackedKind {
  readonly name: string;
  readonly flags: readonly string[];
  readonly guarded: boolean;
}

/** Runs attacks one after the other against one gateway, and a new one where it has ended. Returns how many did harm. */
async function attackAll(
  { name, flags, guarded }: AttackedKind,
  attacks: readonly Attack[],
  seed: number,
): Promise<number> {
  const sick = await startSickProvider();
  const caller = startHealthyCaller();
  const config = guarded ? guardedConfig(attackedConfig(sick.origin)) : attackedConfig(sick.origin);
  const start = (): Promise<AttackedProcess> => startAttackedProcess(config, flags);
  let gateway = await start();
  const measure = (attack: Attack): Promise<Measured> => measureAttack(attack, gateway, caller, sick.calls, seed);
  const quietness: Attack = { name: 'quiet', withinMs: QUIET_MS * 2, run: () => passed(QUIET_MS, []) };
  let failed = 0;
  // Refusals warm up what refusals use.
  const warmUp = guarded ? (attacks[0] ?? quietness) : WARM_UP;
  try {
    await measure(warmUp);
    const quiet = await measure(quietness);
    console.log(
      `\nWith ${name}${guarded ? ' and callers' : ''}, seed ${seed}\n${ATTACK_TITLE}\n${attackRow(quiet, [])}`,
    );
    for (const attack of attacks) {
      const measured = await measure(attack);
      const found = judgeAttack(measured, quiet, flags.length > 0);
      console.log(attackRow(measured, found));
      if (found.length > 0) failed += 1;
      if (gateway.end() === undefined) continue;
      await gateway.close();
      gateway = await start();
      await measure(warmUp);
    }
  } finally {
    await gateway.close();
    await caller.close();
    await sick.close();
  }
  return failed;
}

process.exitCode = await main();
