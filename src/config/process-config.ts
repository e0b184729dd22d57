import { readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';

import type { Runtime, Timers } from '../core/ports.ts';
import { loadConfig } from './load.ts';
import { adoptAuthorities, adoptProxies } from './outbound/process-network.ts';
import { OLLAMA_DEFAULT_URL, probeOllama } from './ollama-probe.ts';
import { isKeySetUrl } from '../core/formats/key-set-url.ts';
import type { Config } from './port/resolved.ts';

/** How long an Ollama on this machine may take to answer before it counts as absent, in milliseconds. */
const PROBE_MS = 300;

/** What the command line says of the configuration. */
export interface ConfigFlags {
  /** Path of the config file; absent: that of `UNDERSTUDY_CONFIG`, or none. */
  readonly config?: string | undefined;
  /** Whether the mock may answer where no provider is configured. */
  readonly demo?: boolean | undefined;
}

/**
 * Loads the configuration of this process; where that leaves nothing but the demo, an Ollama on this machine is looked for. Throws
 * ConfigError with every problem.
 *
 * @param readFile reads a file as text; throws where it cannot
 */
export async function loadProcessConfig(
  { config: configPath, demo }: ConfigFlags,
  timers: Timers & Pick<Runtime, 'wall'>,
  readFile = (path: string): string => readFileSync(path, 'utf8'),
): Promise<Config> {
  const { heap_size_limit: heapLimitBytes } = getHeapStatistics();
  const load = (ollamaFound: boolean): Config =>
    loadConfig({ env: process.env, readFile, configPath, demo, ollamaFound, heapLimitBytes, wallMs: timers.wall() });
  const config = load(false);
  const found = config.demo && (await findOllama(timers)) ? load(true) : config;
  // Last: of a configuration that is refused nothing holds.
  adoptAuthorities(process.env, readFile);
  adoptProxies(process.env, [OLLAMA_DEFAULT_URL, ...keyUrlsOf(found)]);
  return found;
}

/** Where the keys of callers' issuers are fetched. */
function keyUrlsOf({ callers }: Config): readonly string[] {
  return (callers?.callers ?? []).flatMap(({ jwt }) => (jwt !== undefined && isKeySetUrl(jwt.jwks) ? [jwt.jwks] : []));
}

async function findOllama(timers: Timers): Promise<boolean> {
  const abort = new AbortController();
  const timer = timers.setTimer(PROBE_MS, () => {
    abort.abort();
  });
  try {
    return await probeOllama(fetch, abort.signal);
  } finally {
    timers.clearTimer(timer);
  }
}
