import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ConfigInput } from '../../src/config/file/schema.ts';
import type { Holdings } from './probe.ts';

/** The gateway as a process of its own that tells what it holds on to. */
export interface ProbedGateway {
  /** `host:port` of the gRPC door. */
  readonly address: string;
  holdings(): Promise<Holdings>;
  /** Ends it as an operator would; resolves with its exit code. */
  stop(): Promise<number | null>;
}

const PROGRAM = fileURLToPath(new URL('../../bin/understudy.js', import.meta.url));
const PROBE = new URL('probe.ts', import.meta.url).href;

/** Starts `bin/understudy.js` with a config. Its log goes nowhere, but is written. */
export async function startProbedGateway(config: ConfigInput): Promise<ProbedGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-soak-'));
  const path = join(folder, 'understudy.json');
  await writeFile(path, JSON.stringify(config));
  const child = spawn(process.execPath, ['--expose-gc', '--import', PROBE, PROGRAM, '--config', path], {
    env: {
      UNDERSTUDY_GRPC_ADDRESS: '127.0.0.1:0',
      UNDERSTUDY_HTTP_ADDRESS: '127.0.0.1:0',
      UNDERSTUDY_ADMIN_ADDRESS: '127.0.0.1:0',
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const address = await new Promise<string>((resolve, reject) => {
    let printed = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (printed.length > 1_000_000) return;
      printed += text;
      const found = /^gRPC +(\S+)\n/m.exec(printed)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}`)));
  });
  const ended = once(child, 'exit').then(() => child.exitCode);
  return {
    address,
    holdings: async () => {
      const told = once(child, 'message');
      child.send('tell');
      const [message]: unknown[] = await told;
      return parseHoldings(message);
    },
    stop: async () => {
      // The channel would keep it alive.
      child.disconnect();
      child.kill('SIGTERM');
      const code = await ended;
      await rm(folder, { recursive: true });
      return code;
    },
  };
}

/** What the probe sends is its own type; the channel between processes has none. */
function parseHoldings(message: unknown): Holdings {
  return message as Holdings;
}
