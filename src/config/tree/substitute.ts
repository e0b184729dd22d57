import type { Environment } from '../port/resolved.ts';
import { formatPath, type ConfigProblem } from '../port/problem.ts';
import { readVariable } from '../port/provider-defaults.ts';
import type { SecretFiles } from './secret-files.ts';

/** A tree of values with variables and secrets put in. */
export interface Substituted {
  readonly value: unknown;
  /** What is not set or cannot be read, and `${` that begins nothing; those texts stay as they are. */
  readonly problems: readonly ConfigProblem[];
}

const REFERENCE = /\$\{([^}]*)\}?/g;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const OF_FILE = 'file:';

/** Deeper than any valid config; ends the walk through an object that holds itself. */
const DEEPEST = 16;

/**
 * Replaces `${NAME}` in every text of a tree by the variable NAME, and `${file:PATH}` by what the file at PATH holds. What was put
 * in is not looked through again.
 */
export function substituteVariables(tree: unknown, env: Environment, files: SecretFiles): Substituted {
  const problems: ConfigProblem[] = [];

  /** Returns what stands for a reference without its brackets, or says what is wrong with it. */
  function valueOf(name: string): { readonly value: string } | { readonly wrong: string } {
    if (name.startsWith(OF_FILE)) return files.read(name.slice(OF_FILE.length).trim());
    if (!VARIABLE_NAME.test(name)) {
      return { wrong: '`${` must be followed by the name of a variable, or by `file:` and a path, and `}`' };
    }
    const value = readVariable(env, name);
    return value === undefined ? { wrong: `the environment variable ${name} is not set` } : { value };
  }

  function inText(text: string, path: readonly PropertyKey[]): string {
    return text.replace(REFERENCE, (reference: string, name: string) => {
      const found = valueOf(reference.endsWith('}') ? name : '');
      if ('value' in found) return found.value;
      problems.push({ path: formatPath(path), message: found.wrong });
      return reference;
    });
  }

  function inValue(value: unknown, path: readonly PropertyKey[]): unknown {
    if (typeof value === 'string') return inText(value, path);
    if (typeof value !== 'object' || value === null || path.length >= DEEPEST) return value;
    if (Array.isArray(value)) return value.map((item, index) => inValue(item, [...path, index]));
    const fields: [string, unknown][] = Object.entries(value);
    return Object.fromEntries(fields.map(([key, item]) => [key, inValue(item, [...path, key])]));
  }

  return { value: inValue(tree, []), problems };
}
