import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { pythonPrograms } from '../servers/python-programs.ts';
import { endsAtCoreClients } from './core-deadlines.ts';

/** In seconds: below, at and above the steps in which the C core rounds them up. */
const DEADLINES = [0.5, 1, 2, 5, 9.999, 10, 15, 45, 99, 100, 110, 125, 130, 300];

/**
 * Gives a gateway whose only target is silent the deadlines of a real grpcio, five minutes the longest, all at once. Ends with 0
 * where each call was told reason and trail before the client's own clock ended it.
 */
async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-clients-'));
  try {
    const bin = await pythonPrograms(folder, 'core', ['grpcio==1.85.3']);
    console.log(`grpcio 1.85.3, deadlines of ${DEADLINES.join(', ')} s`);
    const ends = await endsAtCoreClients(join(bin, 'python'), DEADLINES);
    console.log('deadline  method      status             reason    attempts  left for the way home');
    let untold = 0;
    for (const { seconds, method, code, reason, attempts, leftMs } of ends) {
      if (code !== 'DEADLINE_EXCEEDED' || reason !== 'DEADLINE' || attempts === 0) untold++;
      const cells = [`${seconds} s`.padStart(8), method.padEnd(10), code.padEnd(17), (reason || '-').padEnd(8)];
      console.log(`${cells.join('  ')}  ${String(attempts).padStart(8)}  ${leftMs.toFixed(0).padStart(6)} ms`);
    }
    console.log(`${untold} of ${ends.length} calls were not told why they ended.`);
    return untold === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
