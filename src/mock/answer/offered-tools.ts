import { isObject, listOf, objectOf } from '../shared/fields.ts';

/** A function that the caller offers. */
export interface MockTool {
  readonly name: string;
  /** JSON Schema of the arguments. */
  readonly schema: unknown;
}

/** The tools of a request. */
export interface OfferedTools {
  /** Those that may be called, in the order of the request. */
  readonly tools: readonly MockTool[];
  /** Whether one of them must be. */
  readonly mustCall: boolean;
}

/** Modes in which a tool must be called; Mistral and Anthropic say `any`. */
const FORCING: ReadonlySet<unknown> = new Set(['required', 'any', 'tool', 'function']);

/** Reads the tools of a request, and the choice among them, in the ways of all APIs. */
export function offeredTools(tools: unknown, choice: unknown): OfferedTools {
  const offered = listOf(tools).flatMap(toolOf);
  const { type, mode, ...named } = objectOf(choice);
  const allowed = objectOf(named['allowed_tools']);
  const means = typeof choice === 'string' ? choice : type === 'allowed_tools' ? (mode ?? allowed['mode']) : type;
  if (means === 'none') return { tools: [], mustCall: false };
  const names = new Set(
    type === 'allowed_tools'
      ? listOf(allowed['tools'] ?? named['tools']).map(nameOf)
      : [nameOf(choice)].filter((name) => name !== undefined),
  );
  const callable = names.size === 0 ? offered : offered.filter(({ name }) => names.has(name));
  return { tools: callable, mustCall: callable.length > 0 && FORCING.has(means) };
}

function toolOf(value: unknown): readonly MockTool[] {
  const tool = objectOf(value);
  const definition = isObject(tool['function']) ? tool['function'] : tool;
  const name = definition['name'];
  return typeof name === 'string' ? [{ name, schema: definition['parameters'] ?? definition['input_schema'] }] : [];
}

/** The name in a reference to a tool. */
function nameOf(reference: unknown): unknown {
  const { name, function: nested } = objectOf(reference);
  return name ?? objectOf(nested)['name'];
}
