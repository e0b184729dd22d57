import { LineCounter, isNode, isSeq, parseDocument } from 'yaml';

import type { NamedKeyConfig } from '../port/caller-config.ts';
import { ConfigError, formatPath, type ConfigProblem } from '../port/problem.ts';
import { keysFileEntrySchema } from './callers-schema.ts';
import { parseConfigText } from './parse.ts';

/** What the keys of a file are held to. */
export interface KeysFileRules {
  /** What the file is called in errors. */
  readonly label: string;
  /** Names of the callers. */
  readonly callers: ReadonlySet<string>;
  /** Whose the keys of the configuration are, by their digest. */
  readonly taken: ReadonlyMap<string, string>;
}

/** Reads the text of a file of keys. Throws {@link ConfigError} that names the line of everything that is wrong, and no key. */
export function parseKeysFile(text: string, { label, callers, taken }: KeysFileRules): readonly NamedKeyConfig[] {
  // A file that is just being written is empty at first, and must not revoke everything.
  if (text.trim() === '') throw new ConfigError([{ path: label, message: 'is empty; [] says that there are no keys' }]);
  const value = parseConfigText(text, label);
  if (!Array.isArray(value)) throw new ConfigError([{ path: label, message: 'must be a list of keys' }]);
  const entries: readonly unknown[] = value;
  const lines = linesOf(text);
  const problems: ConfigProblem[] = [];
  const keys: NamedKeyConfig[] = [];
  const seen = new Map<string, number>();
  entries.forEach((entry, index) => {
    const line = lines[index] ?? 1;
    const wrong = (message: string): void => void problems.push({ path: `${label}:${line}`, message });
    // Values are never shown: any of them may be a key that stands in the wrong place.
    const parsed = keysFileEntrySchema.safeParse(entry);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) {
        if (issue.code === 'unrecognized_keys')
          wrong(`${issue.keys.map((key) => formatPath([key])).join(', ')}: unknown field`);
        else wrong(issue.path.length === 0 ? issue.message : `${formatPath(issue.path)}: ${issue.message}`);
      }
      return;
    }
    const { caller, sha256, expires } = parsed.data;
    if (!callers.has(caller)) wrong(`caller: no caller is named ${caller}`);
    const owner = taken.get(sha256) ?? caller;
    if (owner !== caller) wrong(`sha256: this key is one of ${owner} already`);
    const other = seen.get(sha256);
    if (other === undefined) seen.set(sha256, line);
    else wrong(`sha256: this key stands in line ${other} already`);
    keys.push({ caller, sha256, expiresAtMs: expires });
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return keys;
}

/** Returns the lines in which the entries of a list begin. */
function linesOf(text: string): readonly number[] {
  const lineCounter = new LineCounter();
  const { contents } = parseDocument(text, { lineCounter, stringKeys: true, logLevel: 'error' });
  if (!isSeq(contents)) return [];
  return contents.items.map((item) => lineCounter.linePos((isNode(item) ? item.range?.[0] : undefined) ?? 0).line);
}
