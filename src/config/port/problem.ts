/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** Field (`targets[1].mock`), variable, flag, or position in the file (`understudy.yaml:3:7`). */
  readonly path: string;
  /** What is wrong, without a value that may be secret. */
  readonly message: string;
}

/** Says everything that is wrong with a configuration, one line per problem. Never holds a secret. */
export class ConfigError extends Error {
  /** Each once. */
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const byText = new Map(problems.map((problem) => [`${problem.path}: ${problem.message}`, problem]));
    super([...byText.keys()].join('\n'));
    this.name = 'ConfigError';
    this.problems = [...byText.values()];
  }
}

/** Longest part of a bad value that an error shows. */
const SHOWN_LENGTH = 80;

/** A plain field name; anything else may be a mistyped `name:value` and is not shown. */
const FIELD_NAME = /^[A-Za-z_][\w-]{0,40}$/;

/** Fields and variables that hold a URL: of those the host is shown and no more, also where the scheme is missing. */
const URL_FIELD = /(^base_url|_BASE_URL|_ENDPOINT)$/;

/** Writes the way to a field as people do: `targets[1].mock`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else {
      const name = typeof step === 'string' && FIELD_NAME.test(step) ? step : '(a name that is not shown)';
      text += text === '' ? name : `.${name}`;
    }
  }
  return text === '' ? '(the whole file)' : text;
}

/**
 * Says that a value breaks a rule: scalars are shown literally, lists and mappings by their kind, what may hold a secret not
 * at all.
 */
export function brokenRule(rule: string, value: unknown): string {
  if (typeof value === 'string') return brokenByText(rule, value);
  if (Array.isArray(value)) return `${rule}, not a list`;
  if (typeof value === 'object' && value !== null) return `${rule}, not a mapping`;
  if (typeof value === 'function' || typeof value === 'symbol') return `${rule}, not a ${typeof value}`;
  return `${rule}, not ${String(value)}`;
}

function brokenByText(rule: string, text: string): string {
  if (text === '') return `${rule}, not an empty text`;
  // `user:password@host`, and an `api_key:` that indentation made part of the value before it.
  if (text.includes('@') || /api.?key/i.test(text)) return `${rule} (the value may hold a secret and is not shown)`;
  const shown = text.replace(/(:\/\/[^/?#]*)[/?#].*$/s, '$1/…');
  return `${rule}, not ${JSON.stringify(shown.length > SHOWN_LENGTH ? `${shown.slice(0, SHOWN_LENGTH)}…` : shown)}`;
}

/** Cuts what follows the host from a URL without its scheme; one with it is cut wherever it is shown. */
function cutAtHost(value: unknown): unknown {
  const hasNoScheme = typeof value === 'string' && !/^[a-z][\w+.-]*:\/\//i.test(value);
  return hasNoScheme ? value.replace(/[/?#].*$/s, '/…') : value;
}

/** Returns the value at a path, undefined where there is none. */
export function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  let value: unknown = tree;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/**
 * Says that the value at a path breaks a rule. The value is taken from the tree as it was written, before variables were put
 * in, and is left out under `api_key` and `api_keys`.
 */
export function problemAt(raw: unknown, path: readonly PropertyKey[], rule: string): ConfigProblem {
  const at = formatPath(path);
  const value = valueAt(raw, path);
  if (value === undefined) return { path: at, message: 'is required' };
  if (path.includes('api_key') || path.includes('api_keys')) return { path: at, message: rule };
  const field = path.at(-1);
  const isUrl = typeof field === 'string' && URL_FIELD.test(field);
  return { path: at, message: brokenRule(rule, isUrl ? cutAtHost(value) : value) };
}
