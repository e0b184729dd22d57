import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import type { GenerateResponse } from '../clients/typescript/src/index.ts';
import { Code, createLlmClient, decodeError } from '../clients/typescript/src/index.ts';

import { loadConfig } from '../src/config/load.ts';
import { ConfigError } from '../src/config/port/problem.ts';
import { wireGateway } from '../src/wire-gateway.ts';
import { openGrpcDoor } from '../src/server/grpc/native-door.ts';
import { ServingStatus } from '../src/server/health/serving-status.ts';
import { system } from '../src/system.ts';

// Calls every configured target once with a tiny prompt, through a real gateway and the real client, and prints what came.

const PROMPT = 'Reply with the one word: pong';
const MAX_TOKENS = 64;

const HELP = `Usage: npm run smoke [-- --demo] [-- --config FILE]

Calls every configured target once with a tiny prompt, and prints provider, model, latency, tokens and cost, or the error.
Targets are found as the gateway finds them. Exits with 1 where a target failed, with 2 where there is none or the
configuration is wrong.
`;

async function smoke(): Promise<number> {
  const { values } = parseArgs({
    options: { demo: { type: 'boolean' }, config: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const config = loadConfig({
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
    configPath: values.config,
    demo: values.demo,
  });
  for (const warning of config.warnings) process.stdout.write(`warning: ${warning}\n`);
  if (config.targets.length === 0) {
    process.stdout.write('No provider is configured. Set OPENAI_API_KEY or another key, or try --demo.\n');
    return 2;
  }
  // The ledger is the running gateway's.
  const gateway = wireGateway({ config: { ...config, ledger: undefined }, version: 'smoke', system });
  const serving = new ServingStatus(() => gateway.port.targets(), system);
  const door = await openGrpcDoor({ address: '127.0.0.1:0', handlers: gateway.handlers(), serving, runtime: system });
  const client = createLlmClient(door.address);
  // What loading an SDK takes is no latency of a target.
  await gateway.warmUp();
  let failed = 0;
  for (const { name, provider, model = '(first installed)' } of config.targets) {
    process.stdout.write(`${name} (${provider}, ${model}) … `);
    try {
      const options = { maxTokens: MAX_TOKENS };
      const routing = { targets: [name], disableFallback: true };
      process.stdout.write(`ok: ${describe(await client.generate({ prompt: PROMPT, options, routing }))}\n`);
    } catch (error) {
      failed++;
      const { code, reason, message, attempts } = decodeError(error);
      const tried = attempts.map(({ httpStatus, providerCode }) =>
        [httpStatus, providerCode].filter(Boolean).join(' '),
      );
      const trail = tried.length === 0 ? [] : [`[${tried.join(', ')}]`];
      process.stdout.write(`${['failed:', Code[code], reason, message, ...trail].filter(Boolean).join(' ')}\n`);
    }
  }
  client.close();
  await door.drain(0);
  await gateway.close();
  process.stdout.write(`${config.targets.length - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function describe({ model, latencyMs, tokensUsed, costUsd, text }: GenerateResponse): string {
  const words = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  const cost = costUsd === undefined ? 'cost unknown' : `$${costUsd.toFixed(9)}`;
  return `${model}, ${Math.round(latencyMs ?? 0)} ms, ${tokensUsed ?? 'unknown'} tokens, ${cost}, ${JSON.stringify(words)}`;
}

try {
  process.exitCode = await smoke();
} catch (error) {
  if (!(error instanceof ConfigError) && !isUsageError(error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

function isUsageError(error: unknown): error is Error {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}
