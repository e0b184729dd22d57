import type { System } from '../../core/ports.ts';
import { type ChangeWatch, watchChanges } from '../../files/change-watch.ts';
import { NotedReads } from '../../files/noted-reads.ts';
import type { ConfigEvent } from '../port/config-event.ts';
import { hideKeys, keysOf } from '../port/hidden-keys.ts';
import { ConfigError } from '../port/problem.ts';
import type { Config, Environment } from '../port/resolved.ts';
import { configChanges } from './config-changes.ts';

/** What came of reading the configuration again. */
export type ReloadOutcome = Exclude<ConfigEvent, { readonly kind: 'started' }>;

/** What reloads are made with. */
export interface ReloadParts {
  /** What holds now, and the files that it was read from. */
  readonly config: Config;
  readonly reads: NotedReads;
  /** Reads and checks the whole configuration. Throws ConfigError. */
  readonly load: (readFile: NotedReads['read']) => Promise<Config>;
  /** Puts a configuration in force, all of it or nothing. */
  readonly apply: (config: Config) => Promise<void>;
  readonly happened: (outcome: ReloadOutcome) => void;
  /** Hears of a fault of the program. */
  readonly fault: (thrown: unknown) => void;
  readonly timers: Pick<System, 'setIdleTimer' | 'clearTimer'>;
  readonly env: Environment;
}

/** The configuration that holds, read again when somebody says so, or when one of its files changes; all of it or nothing. */
export class ConfigReload {
  readonly #parts: ReloadParts;
  readonly #watch: ChangeWatch;
  #config: Config;
  /** What the files were when they were last read. */
  #states: ReadonlyMap<string, string>;
  #isRefused = false;
  #underWay: Promise<void> | undefined;
  #isAskedAgain = false;
  #isStopped = false;

  constructor(parts: ReloadParts) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#states = parts.reads.states;
    this.#watch = watchChanges(parts.timers, () => void this.reload());
    this.#follow();
  }

  /** What holds now. */
  get config(): Config {
    return this.#config;
  }

  /** Reads it again, and once more where somebody asks meanwhile. Resolves when that is done; never rejects. */
  async reload(): Promise<void> {
    this.#isAskedAgain = true;
    this.#underWay ??= this.#reloadAsAsked().finally(() => {
      this.#underWay = undefined;
    });
    await this.#underWay;
  }

  /** Reads nothing any more. */
  stop(): void {
    this.#isStopped = true;
    this.#watch.stop();
  }

  async #reloadAsAsked(): Promise<void> {
    while (this.#isAskedAgain && !this.#isStopped) {
      this.#isAskedAgain = false;
      await this.#reloadOnce();
    }
  }

  async #reloadOnce(): Promise<void> {
    const { load, apply, happened, fault, env } = this.#parts;
    const reads = new NotedReads(true);
    try {
      const { config, changed, needRestart } = configChanges(this.#config, await load(reads.read));
      if (this.#isStopped) return;
      if (changed.length > 0) await apply(config);
      this.#config = config;
      this.#states = reads.states;
      this.#isRefused = false;
      happened({ kind: 'read', changed, needRestart, warnings: config.warnings });
    } catch (error) {
      // A file that was read until now may be what the next change is in.
      this.#states = new Map([...this.#states, ...reads.states]);
      this.#isRefused = true;
      const lines = error instanceof ConfigError ? error.message.split('\n') : ['(a fault of the gateway)'];
      if (!(error instanceof ConfigError)) fault(error);
      happened({ kind: 'refused', problems: lines.map((line) => hideKeys(line, keysOf(env))) });
    }
    this.#follow();
  }

  /** Certificates and the files of keys are followed by those who use them, and here as well while they may be why nothing new holds. */
  #follow(): void {
    if (this.#isRefused) return this.#watch.follow(this.#states);
    const { server, callers } = this.#config;
    const others = new Set([server.tls, server.adminTls].flatMap((tls) => (tls === undefined ? [] : pathsOf(tls))));
    if (callers?.apiKeysFile !== undefined) others.add(callers.apiKeysFile);
    for (const { jwt } of callers?.callers ?? []) if (jwt !== undefined) others.add(jwt.jwks);
    this.#watch.follow(new Map([...this.#states].filter(([path]) => !others.has(path))));
  }
}

function pathsOf({ certPath, keyPath, clientCaPath }: NonNullable<Config['server']['tls']>): readonly string[] {
  return [certPath, keyPath, ...(clientCaPath === undefined ? [] : [clientCaPath])];
}
