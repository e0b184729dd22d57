import { parseArgs } from 'node:util';

import { reloadUnderLoad } from '../support/reloads-under-load.ts';

const HELP = `Usage: npm run soak:reload -- [--reloads 60] [--streams 50] [--callers 20]

Has a gateway read its configuration again once a second, each time with another key of its provider, and every fifth time with a file
that cannot be used, while so many streams and callers are served at any time. Ends with 0 where no call failed, no circuit was
forgotten and no key was told.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      reloads: { type: 'string', default: '60' },
      streams: { type: 'string', default: '50' },
      callers: { type: 'string', default: '20' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const outcome = await reloadUnderLoad({
    reloads: Number(values.reloads),
    everyMs: 1_000,
    streams: Number(values.streams),
    streamMs: 3_000,
    callers: Number(values.callers),
  });
  console.log(outcome);
  const isUnseen = Object.keys(outcome.failures).length === 0 && outcome.timesForgotten === 0 && !outcome.isKeyTold;
  console.log(isUnseen ? 'Verdict: no caller saw it.' : 'Verdict: FAILED');
  return isUnseen ? 0 : 1;
}

process.exitCode = await main();
