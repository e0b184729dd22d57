import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as passed } from 'node:timers/promises';

import { startUnderstudy } from '../support/understudy-process.ts';
import { startCrowd } from './crowd.ts';

const HELP = `Usage: npm run soak:memory -- [--busy 60] [--idle 120]

Sends a gateway prompts of 120 KiB for so many seconds, and says what memory it keeps once it has been idle for so many. Ends with 0
where that is at most 20 % above what it took before. Linux.
`;

const PROMPT_BYTES = 120 * 1024;
const CALLERS = 64;
/** What a process that has answered its first calls takes counts as what it took before. */
const SETTLE_MS = 15_000;
const MOST_KEPT = 1.2;
const MIB = 1024 * 1024;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      busy: { type: 'string', default: '60' },
      idle: { type: 'string', default: '120' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const folder = await mkdtemp(join(tmpdir(), 'understudy-memory-'));
  const config = join(folder, 'understudy.json');
  await writeFile(config, JSON.stringify({ targets: [{ name: 'mock', provider: 'mock' }] }));
  // As in the image: without it glibc keeps what was freed.
  const gateway = startUnderstudy(['--config', config], { MALLOC_MMAP_THRESHOLD_: '1048576', MALLOC_ARENA_MAX: '2' });
  try {
    const { grpc } = await gateway.doors;
    const first = startCrowd(grpc, 4, 300);
    await passed(5_000);
    await first.leave();
    await passed(SETTLE_MS);
    const before = await residentBytes(gateway.pid);
    const crowd = startCrowd(grpc, CALLERS, PROMPT_BYTES);
    let most = before;
    for (let second = 0; second < Number(values.busy); second++) {
      await passed(1_000);
      most = Math.max(most, await residentBytes(gateway.pid));
    }
    console.log(`calls by gRPC status: ${JSON.stringify(crowd.ends())}`);
    await crowd.leave();
    const said = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;
    console.log(`resident before ${said(before)}, at most ${said(most)}`);
    let kept = most;
    for (let second = 0; second < Number(values.idle); second++) {
      await passed(1_000);
      kept = await residentBytes(gateway.pid);
      if ((second + 1) % 20 === 0)
        console.log(`idle for ${second + 1} s: ${said(kept)}, ${(kept / before).toFixed(2)} of before`);
    }
    const isGood = kept <= MOST_KEPT * before;
    console.log(isGood ? 'Verdict: memory goes back.' : 'Verdict: FAILED, memory is kept');
    return isGood ? 0 : 1;
  } finally {
    await gateway.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

process.exitCode = await main();
