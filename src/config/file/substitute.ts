import type { Environment } from '../port/resolved.ts';
import { formatPath, type ConfigProblem } from '../port/problem.ts';
import { readVariable } from '../port/provider-defaults.ts';

/** A tree of values with the variables put in. */
export interface Substituted {
  readonly value: unknown;
  /** Variables that are not set, and `${` that begins none; those texts stay as they are. */
  readonly problems: readonly ConfigProblem[];
}

const REFERENCE = /\$\{([^}]*)\}?/g;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Deeper than any valid config; ends the walk through an object that holds itself. */
const DEEPEST = 16;

/** Replaces `${NAME}` in every text of a tree by the variable NAME. What was put in is not looked through again. */
export function substituteVariables(tree: unknown, env: Environment): Substituted {
  const problems: ConfigProblem[] = [];

  function inText(text: string, path: readonly PropertyKey[]): string {
    return text.replace(REFERENCE, (reference: string, name: string) => {
      if (!reference.endsWith('}') || !VARIABLE_NAME.test(name)) {
        problems.push({ path: formatPath(path), message: '`${` must be followed by the name of a variable and `}`' });
        return reference;
      }
      const value = readVariable(env, name);
      if (value === undefined) {
        problems.push({ path: formatPath(path), message: `the environment variable ${name} is not set` });
        return reference;
      }
      return value;
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
