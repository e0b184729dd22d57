import type { Config, Environment } from '../../src/config/port/resolved.ts';
import { loadConfig, type LoadOptions } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/port/problem.ts';

/** Loads a config from the text of its file, named `understudy.yaml`. */
export function loadText(text: string, env: Environment = {}, more: Partial<LoadOptions> = {}): Config {
  return loadConfig({ env, configPath: '/etc/understudy.yaml', readFile: () => text, ...more });
}

/** Loads a config from the environment alone; there is no file to read. */
export function loadEnvironment(env: Environment, more: Partial<LoadOptions> = {}): Config {
  return loadConfig({
    env,
    readFile: () => {
      throw new Error('no file was to be read');
    },
    ...more,
  });
}

/** Returns the message of the ConfigError that is thrown, or undefined. Any other error goes through. */
export function configErrorOf(load: () => unknown): string | undefined {
  try {
    load();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}
