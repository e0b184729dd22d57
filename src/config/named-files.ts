import { basename } from 'node:path';

import { parsePriceFile, type PriceFile } from '../pricing/price-file.ts';
import { createPriceTable } from '../pricing/price-table.ts';
import { parseKeysFile } from './file/keys-file.ts';
import { parseConfigText } from './file/parse.ts';
import { isKeySetUrl } from '../core/formats/key-set-url.ts';
import { ConfigError, valueAt } from './port/problem.ts';
import type { Config } from './port/resolved.ts';
import { keysFileRules } from './resolve-callers.ts';

/** Reads a file as text; throws where it cannot. */
type ReadFile = (path: string) => string;

/** Returns a configuration with the prices of the file that it names. Throws ConfigError where that cannot be used. */
export function withPrices(config: Config, readFile: ReadFile): Config {
  const { pricesFile } = config;
  return pricesFile === undefined ? config : { ...config, prices: readPrices(pricesFile, readFile) };
}

/** Reads the file of keys once, so that a process does not start with one that is wrong. Throws ConfigError. */
export function checkKeysFile({ callers }: Config, readFile: ReadFile): void {
  if (callers?.apiKeysFile === undefined) return;
  parseKeysFile(readNamed('api_keys_file', callers.apiKeysFile, readFile), keysFileRules(callers));
}

/**
 * Looks at the files of public keys that callers name.
 *
 * @returns a sentence for each that holds no key: a process starts all the same, and takes tokens as soon as one is there
 */
export function keySetWarnings({ callers }: Config, readFile: ReadFile): string[] {
  return (callers?.callers ?? []).flatMap(({ jwt }, at) => {
    if (jwt === undefined || isKeySetUrl(jwt.jwks)) return [];
    const fault = keySetFault(jwt.jwks, readFile);
    return fault === undefined ? [] : [`callers[${at}].jwt.jwks: ${fault}; without keys no token is taken`];
  });
}

function keySetFault(path: string, readFile: ReadFile): string | undefined {
  let text;
  try {
    text = readFile(path);
  } catch (error) {
    return `cannot be read${codeOf(error)}`;
  }
  try {
    const keys = valueAt(JSON.parse(text), ['keys']);
    const isSet = Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key !== null);
    if (isSet) return keys.length === 0 ? 'holds no key' : undefined;
  } catch {
    // Said below.
  }
  return 'is no key set';
}

function readPrices(path: string, readFile: ReadFile): PriceFile {
  const text = readNamed('prices_file', path, readFile);
  const tree = parseConfigText(text, basename(path));
  try {
    const file = parsePriceFile(tree);
    if (file.models.length === 0) throw new RangeError('models: must not be empty');
    // What has two prices is found when a table is made.
    createPriceTable({ own: file });
    return file;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError([{ path: `prices_file ${basename(path)}`, message: error.message }]);
  }
}

function readNamed(field: string, path: string, readFile: ReadFile): string {
  try {
    return readFile(path);
  } catch (error) {
    throw new ConfigError([{ path: field, message: `cannot be read${codeOf(error)}` }]);
  }
}

function codeOf(error: unknown): string {
  const code = valueAt(error, ['code']);
  return typeof code === 'string' ? ` (${code})` : '';
}
