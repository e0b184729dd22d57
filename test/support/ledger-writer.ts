import type { LedgerConfig } from '../../src/config/port/ledger-config.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import { system } from '../../src/system.ts';
import { usageRecord } from './usage-records.ts';

/*
 * A process that records attempts from a number on to another, a few in each turn, and says of each when it is recorded, and
 * at first that it begins to bring to the store what the last one has left: the place of a
 * gateway that is killed. Its arguments are the ledger's configuration as JSON, the two numbers, and how many it may record: then
 * it waits.
 */
const [, , config = '', first = '', end = '', most = ''] = process.argv;
const PER_TURN = 7;

const ledger = openLedger(JSON.parse(config) as LedgerConfig, system, () => undefined);
process.stdout.write(`${first}\n`);
await ledger.ready();
for (let at = Number(first); at < Number(end); at += PER_TURN) {
  if (at - Number(first) >= Number(most)) await new Promise(() => setInterval(() => undefined, 1_000));
  const last = Math.min(at + PER_TURN, Number(end));
  ledger.record(() => Array.from({ length: last - at }, (_, of) => attempt(at + of)));
  await Promise.resolve();
  process.stdout.write(`${last}\n`);
  if (at % 10 === 0) await system.yieldIo();
}
await ledger.close();

/** The same number is the same attempt: a process that was killed before it could say so records it again. */
function attempt(at: number) {
  return usageRecord({ callId: `call-${at}`, requestId: `request-${at}`, costNanoUsd: BigInt(at) * 1_000_003n });
}
