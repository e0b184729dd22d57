import { isObject, listOf, objectOf, parseObject } from '../shared/fields.ts';
import type { Json } from '../shared/fields.ts';

/** The JSON that a request asks for: of a schema, or any object. */
export type WantedJson = { readonly schema: unknown } | 'any_object';

/** Reads what JSON a request asks for, in the ways of all APIs; undefined where words will do. */
export function wantedJson(body: Json): WantedJson | undefined {
  const format =
    body['response_format'] ?? objectOf(body['text'])['format'] ?? objectOf(body['output_config'])['format'];
  const { type, schema, json_schema: nested } = objectOf(format);
  if (type === 'json_schema') return { schema: schema ?? objectOf(nested)['schema'] ?? {} };
  if (type === 'json_object' || body['format'] === 'json') return inPrompt(body);
  return isObject(body['format']) ? { schema: body['format'] } : undefined;
}

/** Where an API has JSON but no schemas, prompts hold them: the last that is found in the messages is meant. */
function inPrompt(body: Json): WantedJson {
  const texts = textsIn([body['system'], body['instructions'], body['messages'] ?? body['input']]);
  const schema = texts.toReversed().flatMap((text) => schemasIn(text).slice(-1))[0];
  return schema === undefined ? 'any_object' : { schema };
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  const { role, content, text } = objectOf(value);
  return role === 'assistant' || role === 'tool'
    ? []
    : [content, text].flatMap((part) => listOf(part).flatMap(textsIn));
}

/** How many opening braces of a text are looked at. */
const MAX_OBJECTS = 200;

/** The JSON Schemas of objects that stand in a text, in order: what parses as an object, and says that it is one of a schema. */
function schemasIn(text: string): readonly Json[] {
  const found: Json[] = [];
  let from = text.indexOf('{');
  for (let tries = 0; from >= 0 && tries < MAX_OBJECTS; tries += 1) {
    const end = endOfObject(text, from);
    const object = end === undefined ? undefined : parseObject(text.slice(from, end));
    const schema = object !== undefined && saysSchema(object) ? object : undefined;
    if (schema !== undefined) found.push(schema);
    from = text.indexOf('{', schema === undefined || end === undefined ? from + 1 : end);
  }
  return found;
}

/** Where the object ends that begins at a place; undefined where it does not. */
function endOfObject(text: string, from: number): number | undefined {
  const signs = /"(?:[^"\\]|\\.)*"|[{}]/gs;
  signs.lastIndex = from;
  let depth = 0;
  for (let sign = signs.exec(text); sign !== null; sign = signs.exec(text)) {
    if (sign[0] === '{') depth += 1;
    if (sign[0] === '}') depth -= 1;
    if (depth === 0) return sign.index + 1;
  }
  return undefined;
}

function saysSchema(object: Json): boolean {
  const isTyped =
    object['type'] === 'object' && ['properties', 'required', 'additionalProperties'].some((key) => key in object);
  return isTyped || isObject(object['properties']) || object['$schema'] !== undefined || object['$defs'] !== undefined;
}
