import { parseArgs } from 'node:util';

import { rollingRestart } from '../support/rolling-restart.ts';

const HELP = `Usage: npm run soak:rolling -- [--streams 300] [--seconds 20] [--calls 200]

Replaces two gateways, one after the other, behind a client with round_robin and no retry policy: so many streams of so many
seconds are under way at each, and so many calls a second go on throughout. Ends with 0 where no call failed and no stream
was cut.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      streams: { type: 'string', default: '300' },
      seconds: { type: 'string', default: '20' },
      calls: { type: 'string', default: '200' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const outcome = await rollingRestart({
    streams: Number(values.streams),
    streamMs: Number(values.seconds) * 1_000,
    callsPerSecond: Number(values.calls),
  });
  console.log(outcome);
  const isUnseen = Object.keys(outcome.failures).length === 0 && outcome.exitCodes.every((code) => code === 0);
  console.log(isUnseen ? 'Verdict: no caller saw it.' : 'Verdict: FAILED');
  return isUnseen ? 0 : 1;
}

process.exitCode = await main();
