import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

import type { Config, Environment, TargetConfig } from './port/resolved.ts';
import { callerProblems } from './check-callers.ts';
import { crossProblems } from './check.ts';
import { bareTarget, detectTargets, type DetectedTarget } from './detect.ts';
import { schemaProblems } from './file/issues.ts';
import { hideKeys, keysOf } from './port/hidden-keys.ts';
import { readSwitch, resolveServer, type GuardedAddresses } from './listen.ts';
import { OLLAMA_DEFAULT_URL } from './ollama-probe.ts';
import { parseConfigText } from './file/parse.ts';
import { ConfigError, valueAt, type ConfigProblem } from './port/problem.ts';
import { readVariable } from './port/provider-defaults.ts';
import { fileSchema, serverSchema, type ConfigInput } from './file/schema.ts';
import { proxiedTargets } from './outbound/proxied-targets.ts';
import { resolveAdmission } from './resolve-admission.ts';
import { resolveLedger } from './resolve-ledger.ts';
import { resolveLog } from './logging/resolve-log.ts';
import { resolveLimitStore } from './file/limit-store-schema.ts';
import { checkKeysFile, keySetWarnings, withPrices } from './named-files.ts';
import { resolveCallers } from './resolve-callers.ts';
import { resolveRoutes } from './resolve-routes.ts';
import { resolveTarget } from './resolve-target.ts';
import { resolveTls, type TlsReader } from './tls/resolve-tls.ts';
import { prepareTree } from './tree/prepare-tree.ts';
import { SecretFiles } from './tree/secret-files.ts';

/** Where a process's configuration comes from. */
export interface LoadOptions {
  readonly env: Environment;
  /** Reads a file as text; throws where it cannot. */
  readonly readFile: (path: string) => string;
  /** Path of the config file from `--config`; wins over `UNDERSTUDY_CONFIG`. */
  readonly configPath?: string | undefined;
  /** Whether `--demo` was given: the mock may answer where nothing else is configured. Default false. */
  readonly demo?: boolean | undefined;
  /** Whether an Ollama that nobody configured answers on this machine; matters only where `Config.demo` would be true. */
  readonly ollamaFound?: boolean | undefined;
  /** How large the heap of the process may become, in bytes: what fits it is the default. Absent: as if it were large. */
  readonly heapLimitBytes?: number | undefined;
  /** Milliseconds since the epoch, by which certificates have expired. Default: none has. */
  readonly wallMs?: number | undefined;
}

/** A config for a program that embeds the gateway. */
export interface CreateOptions {
  /** The same shape as the file. */
  readonly config?: ConfigInput | undefined;
  /** Names like those of the environment; nothing is read from the process. Default none. */
  readonly env?: Environment | undefined;
}

interface Assembly {
  readonly raw: unknown;
  /** What the config is called in `source`. */
  readonly label: string;
  readonly env: Environment;
  readonly demo: boolean;
  readonly ollamaFound: boolean;
  readonly heapLimitBytes?: number | undefined;
  /** What certificates are read with. */
  readonly tls?: TlsReader | undefined;
  /** What the paths in the config are relative to. Absent: the working directory. */
  readonly folder?: string | undefined;
}

/** Loads the process's configuration from the environment and its file. Throws {@link ConfigError} with every problem. */
export function loadConfig(options: LoadOptions): Config {
  const { env, demo = false, ollamaFound = false, heapLimitBytes } = options;
  const given = { env, demo, ollamaFound, heapLimitBytes };
  const path = options.configPath ?? readVariable(env, 'UNDERSTUDY_CONFIG');
  if (path === undefined) return assemble({ raw: {}, label: 'config', ...given });
  const label = hideKeys(basename(path), keysOf(env));
  const text = readText(options, path);
  const folder = dirname(path);
  const tls = { folder, read: options.readFile, wallMs: options.wallMs };
  const config = assemble({ raw: parseConfigText(text, label), label, folder, tls, ...given });
  checkKeysFile(config, options.readFile);
  return withNamedFiles(config, options.readFile);
}

/** Makes a configuration for a program that embeds the gateway, with the same checks. Throws {@link ConfigError}. */
export function createConfig(options: CreateOptions): Config {
  const given = { raw: options.config ?? {}, label: 'config', env: options.env ?? {} };
  const config = assemble({ ...given, demo: false, ollamaFound: false });
  return withNamedFiles(config, (path) => readFileSync(path, 'utf8'));
}

/** Adds what stands in files that the configuration names, and warnings of them. */
function withNamedFiles(config: Config, readFile: LoadOptions['readFile']): Config {
  const warnings = [...config.warnings, ...keySetWarnings(config, readFile)];
  return withPrices({ ...config, warnings }, readFile);
}

function readText(options: LoadOptions, path: string): string {
  try {
    return options.readFile(path);
  } catch (error) {
    const code = valueAt(error, ['code']);
    const why = typeof code === 'string' ? ` (${code})` : '';
    const from = options.configPath === undefined ? 'UNDERSTUDY_CONFIG' : '--config';
    const shown = hideKeys(JSON.stringify(path), keysOf(options.env));
    throw new ConfigError([{ path: from, message: `cannot read ${shown}${why}` }]);
  }
}

function assemble({ raw, label, env, demo, ollamaFound, heapLimitBytes, folder, tls }: Assembly): Config {
  const problems: ConfigProblem[] = [];
  const secrets = new SecretFiles(tls?.read, folder);
  const { tree, problems: unmeant, notes } = prepareTree(raw, env, secrets);
  problems.push(...unmeant);
  const parsed = fileSchema.safeParse(tree);
  const failed = new Set(unmeant.map((problem) => problem.path));
  problems.push(...schemaProblems(parsed.error?.issues ?? [], raw).filter((problem) => !failed.has(problem.path)));

  const mockAll = readSwitch(env, 'UNDERSTUDY_MOCK', problems) ?? false;
  const detection = valueAt(tree, ['targets']) === undefined ? detectTargets(env) : undefined;
  problems.push(...(detection?.problems ?? []));
  const standIn =
    detection !== undefined && detection.found.length === 0 && demo ? demoTarget(ollamaFound && !mockAll) : undefined;
  const detected = standIn === undefined ? detection?.found : [standIn];
  const detectedNames = detected?.map(({ target }) => target.name);
  problems.push(
    ...crossProblems({ tree, raw, env, mockAll, detected: detectedNames }).filter(({ path }) => !failed.has(path)),
  );
  problems.push(
    ...callerProblems({
      tree,
      raw,
      routes: [...new Set(['default', ...namesAt(tree, 'routes')])],
      targets: detectedNames ?? namesAt(tree, 'targets'),
    }).filter(({ path }) => !failed.has(path)),
  );
  const section = serverSchema.safeParse(valueAt(tree, ['server']) ?? {});
  const tlsWarnings: string[] = [];
  const told = { problems, warnings: tlsWarnings };
  const server = section.success
    ? {
        ...resolveServer(section.data, env, problems, guardedAddresses(tree)),
        ...resolveTls(section.data, tls, told),
      }
    : undefined;
  const file = parsed.data;
  const log = file && resolveLog(file.log, env, problems);
  if (problems.length > 0 || file === undefined || log === undefined || server === undefined) {
    const keys = [...keysOf(env), ...keysOfTargets(raw), ...keysOfTargets(tree)];
    throw new ConfigError(
      problems.map(({ path, message }) => ({ path: hideKeys(path, keys), message: hideKeys(message, keys) })),
    );
  }

  const placed: readonly DetectedTarget[] =
    detected ?? (file.targets ?? []).map((target, index) => ({ target, source: `${label} targets[${index}]` }));
  const routes = resolveRoutes(
    file,
    placed.map(({ target }) => target.name),
  );
  const resolved = placed.map(({ target, source, organization }): TargetConfig => {
    const entries = routes.flatMap((route) => route.entries).filter((entry) => entry.target === target.name);
    const routedModels = entries.flatMap((entry) => entry.model ?? []);
    return resolveTarget(target, { env, mockAll, source, organization, routedModels });
  });
  const { targets, warnings: ofProxies } = proxiedTargets(resolved, env);
  return {
    targets,
    routes,
    circuitBreaker: {
      failures: file.circuit_breaker.failures,
      windowMs: file.circuit_breaker.window,
      cooldownMs: file.circuit_breaker.cooldown,
      probes: file.circuit_breaker.probes,
      guard: file.circuit_breaker.guard === 'on',
    },
    retry: {
      order: file.retry.order,
      maxRepeats: file.retry.max_repeats,
      backoffMs: file.retry.backoff,
      jitter: file.retry.jitter,
    },
    admission: resolveAdmission(file.admission, heapLimitBytes),
    server,
    log,
    ledger: resolveLedger(file.ledger, { folder, demo }),
    callers: resolveCallers(file, folder),
    pricesFile: file.prices_file === undefined ? undefined : resolve(folder ?? '.', file.prices_file),
    limits: file.limits && resolveLimitStore(file.limits),
    secretFiles: secrets.paths,
    warnings: [
      ...(server.isUnauthenticated
        ? ['other machines can reach the gateway, which does not ask who calls: whoever reaches it spends on its keys']
        : []),
      ...(detection?.warnings ?? []),
      ...notes,
      ...ofProxies,
      ...tlsWarnings,
      ...(mockAll && targets.length === 0
        ? ['UNDERSTUDY_MOCK is set, but there is no target that could be a mock']
        : []),
    ],
    demo: standIn?.target.provider === 'mock',
  };
}

function namesAt(tree: unknown, field: string): readonly string[] {
  const items = valueAt(tree, [field]);
  const names = Array.isArray(items) ? items.map((item) => valueAt(item, ['name'])) : [];
  return [...new Set(names.filter((name) => typeof name === 'string'))];
}

/** The doors ask where callers are named, the admin listener where it asks for certificates. */
function guardedAddresses(tree: unknown): GuardedAddresses {
  const callers = valueAt(tree, ['callers']);
  const adminTls = valueAt(tree, ['server', 'admin_tls']) ?? valueAt(tree, ['server', 'tls']);
  const mayComeWithout = valueAt(adminTls, ['client_auth']) === 'optional';
  return {
    doors: Array.isArray(callers) && callers.length > 0,
    admin: valueAt(adminTls, ['client_ca']) !== undefined && !mayComeWithout,
  };
}

function keysOfTargets(tree: unknown): string[] {
  const targets = valueAt(tree, ['targets']);
  const keys = Array.isArray(targets) ? targets.map((target) => valueAt(target, ['api_key'])) : [];
  return keys.filter((key) => typeof key === 'string');
}

function demoTarget(ollama: boolean): DetectedTarget {
  return ollama
    ? { target: bareTarget('ollama', OLLAMA_DEFAULT_URL), source: '--demo (Ollama was found running)' }
    : { target: bareTarget('mock'), source: '--demo' };
}
