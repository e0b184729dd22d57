import { openRawConnection, sendRaw, statusOfRaw } from '../support/raw-grpc.ts';
import { startProbedGateway } from './process.ts';
import { startSoakUpstream } from './upstream.ts';

/** What the RPC may take beyond its deadline, in milliseconds. */
const MOST_OVER_MS = 100;
const CALLS = 100;
const AT_ONCE = 10;
const DEADLINES_MS = [100, 500, 1_000, 2_000];

/**
 * Measures by how much calls outlive their deadlines where the first target is silent: with a second one that answers, and
 * with one that is silent too. The client has no timer of its own, so that the server alone ends the call. Ends with 0 where
 * none took over 100 ms more.
 */
async function main(): Promise<number> {
  const silent = await startSoakUpstream('lead', { faults: 1, gapMs: 1, seed: 1, plans: ['silence'] });
  const good = await startSoakUpstream('second', { faults: 0, gapMs: 1, seed: 1 });
  const target = (name: string, origin: string) =>
    ({ name, provider: 'openai', base_url: `${origin}/v1`, api_key: 'sk-soak', model: `model-${name}` }) as const;
  let most = Number.NEGATIVE_INFINITY;
  console.log('second   deadline  calls      OK  DEADLINE  others  longest over');
  for (const [second, origin] of [
    ['answers', good.origin],
    ['silent', silent.origin],
  ] as const) {
    const gateway = await startProbedGateway({ targets: [target('lead', silent.origin), target('second', origin)] });
    const session = openRawConnection(gateway.address);
    // The first calls load and compile what all later ones use.
    await inBatches(() => statusOfRaw(sendRaw(session, { 'grpc-timeout': '200m' })));
    for (const deadlineMs of DEADLINES_MS) {
      const ends = await inBatches(async () => {
        const beganAt = performance.now();
        const status = await statusOfRaw(sendRaw(session, { 'grpc-timeout': `${deadlineMs}m` }));
        return { status, overMs: performance.now() - beganAt - deadlineMs };
      });
      const count = (status: string): number => ends.filter((end) => end.status === status).length;
      const [ok, late] = [count('0'), count('4')];
      const longest = Math.max(...ends.map(({ overMs }) => overMs));
      most = Math.max(most, longest);
      const cells = [
        `${deadlineMs} ms`.padStart(9),
        String(CALLS).padStart(7),
        String(ok).padStart(8),
        String(late).padStart(10),
        String(CALLS - ok - late).padStart(8),
        `${longest.toFixed(1)} ms`.padStart(14),
      ];
      console.log(second.padEnd(8) + cells.join(''));
    }
    session.destroy();
    await gateway.stop();
  }
  await Promise.all([silent.close(), good.close()]);
  console.log(`The longest took ${most.toFixed(1)} ms more than its deadline; ${MOST_OVER_MS} ms are allowed.`);
  return most <= MOST_OVER_MS ? 0 : 1;
}

async function inBatches<Result>(make: () => Promise<Result>): Promise<readonly Result[]> {
  const results: Result[] = [];
  while (results.length < CALLS) results.push(...(await Promise.all(Array.from({ length: AT_ONCE }, make))));
  return results;
}

process.exitCode = await main();
