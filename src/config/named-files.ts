import { basename } from 'node:path';

import { parsePriceFile, type PriceFile } from '../pricing/price-file.ts';
import { createPriceTable } from '../pricing/price-table.ts';
import { parseKeysFile } from './file/keys-file.ts';
import { parseConfigText } from './file/parse.ts';
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
    const code = valueAt(error, ['code']);
    throw new ConfigError([{ path: field, message: `cannot be read${typeof code === 'string' ? ` (${code})` : ''}` }]);
  }
}
