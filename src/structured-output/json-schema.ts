import { createContext, Script } from 'node:vm';

import type { AnySchemaObject, ErrorObject, Options, ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { exceedsJsonBounds } from '../core/json-bounds.ts';
import { checkJsonObject, TOO_DEEP } from './json-text.ts';
import { schemaPattern } from './schema-pattern.ts';

/** Longest text of a schema, in bytes (64 KiB). */
export const MAX_SCHEMA_BYTES = 64 * 1024;

/** Longest time that making a check may take, in milliseconds; a schema of the greatest length takes a fifth of it. */
const COMPILE_MS = 2_000;

/** Longest time that a check may take, in milliseconds. */
const CHECK_MS = 200;

/** To how many places a quotient must be whole: in binary, 0.07 is not quite seven times 0.01, nor is one price in seven. */
const MULTIPLE_PLACES = 6;

/** Characters of all schemas whose checks are kept. */
const KEPT_CHARACTERS = 1024 * 1024;

/** Longest place that a problem names, in characters: its keys are the answer's. */
const MAX_PLACE_LENGTH = 120;

/** Says where and how a JSON text does not match; undefined where it does. */
export type AnswerCheck = (json: string) => string | undefined;

/** A schema that cannot be used, and why: one sentence that begins with `must`. */
export interface UnusableSchema {
  readonly problem: string;
}

type Draft = typeof Ajv | typeof Ajv2020;

const DRAFTS: ReadonlyMap<unknown, Draft> = new Map<unknown, Draft>([
  [undefined, Ajv2020],
  ['https://json-schema.org/draft/2020-12/schema', Ajv2020],
  ['http://json-schema.org/draft-07/schema', Ajv],
]);

/**
 * Schemas come from callers: nothing is fetched, no answer changed, no keyword refused that is unknown, and `format` is an
 * annotation, as in the drafts. Functions in place of inlined references keep the code as long
 * as the schema.
 */
const OPTIONS = {
  strict: false,
  validateFormats: false,
  inlineRefs: false,
  multipleOfPrecision: MULTIPLE_PLACES,
  logger: false,
  code: { optimize: false, regExp: schemaPattern },
} as const satisfies Options;

/** The validators of schemas themselves, made when first needed; they keep nothing of what they validate. */
const metaSchemas = new Map<Draft, Ajv | Ajv2020>();

/** The checks of the schemas that were asked for last, in that order. */
const kept = new Map<string, AnswerCheck>();
let keptCharacters = 0;

/** Makes the check of a JSON Schema, or finds the one that was made before. */
export function answerCheck(schemaJson: string): AnswerCheck | UnusableSchema {
  const made = kept.get(schemaJson) ?? makeCheck(schemaJson);
  if (typeof made !== 'function') return made;
  if (!kept.delete(schemaJson)) keptCharacters += schemaJson.length;
  kept.set(schemaJson, made);
  for (const [oldest] of kept) {
    if (keptCharacters <= KEPT_CHARACTERS) break;
    kept.delete(oldest);
    keptCharacters -= oldest.length;
  }
  return made;
}

function makeCheck(schemaJson: string): AnswerCheck | UnusableSchema {
  const read = checkJsonObject(schemaJson, MAX_SCHEMA_BYTES);
  if ('problem' in read) return read;
  const schema: AnySchemaObject = read.object;
  const { $schema, $async } = schema;
  if ($async !== undefined) return { problem: 'must not have "$async"' };
  const draft = DRAFTS.get(typeof $schema === 'string' ? $schema.replace(/#$/, '') : $schema);
  if (draft === undefined) return { problem: 'must be of JSON Schema draft 2020-12 or draft-07' };
  const metaSchema = metaSchemaOf(draft);
  const compiled = withinTime(COMPILE_MS, () => compile(schema, draft, metaSchema));
  if (compiled === undefined) {
    // What was stopped in its middle is not used again.
    metaSchemas.delete(draft);
    return { problem: 'must be simpler: it takes too long to read' };
  }
  return 'problem' in compiled ? compiled : (json) => firstProblem(compiled, json);
}

function metaSchemaOf(draft: Draft): Ajv | Ajv2020 {
  const made = metaSchemas.get(draft) ?? new draft(OPTIONS);
  if (!metaSchemas.has(draft)) void made.validateSchema({});
  metaSchemas.set(draft, made);
  return made;
}

function compile(schema: AnySchemaObject, draft: Draft, metaSchema: Ajv | Ajv2020): ValidateFunction | UnusableSchema {
  if (metaSchema.validateSchema(schema) !== true) {
    return { problem: `must be a valid JSON Schema${placeOf(metaSchema.errors?.[0])}` };
  }
  try {
    // An instance remembers whatever it has compiled under the ids that it has, hence one for each schema, which knows no other.
    const alone = new draft({ ...OPTIONS, meta: false, validateSchema: false });
    for (const name of rootAnchors(schema, draft)) alone.addSchema(schema, name);
    return alone.compile(schema);
  } catch (error) {
    if (error instanceof Ajv.MissingRefError) return { problem: 'must have no references but into itself' };
    return { problem: 'must be a JSON Schema with valid references and patterns' };
  }
}

/** The names that a schema gives its own root besides its `$id`; ajv knows only those further down. */
function rootAnchors({ $id, $anchor, $dynamicAnchor }: AnySchemaObject, draft: Draft): readonly string[] {
  if (draft !== Ajv2020) return [];
  const base = typeof $id === 'string' ? $id.replace(/#$/, '') : '';
  const anchors = new Set([$anchor, $dynamicAnchor].filter((anchor) => typeof anchor === 'string'));
  return [...anchors].map((anchor) => `${base}#${anchor}`);
}

function firstProblem(validate: ValidateFunction, json: string): string | undefined {
  if (exceedsJsonBounds(json)) return TOO_DEEP;
  let answer: unknown;
  try {
    answer = JSON.parse(json);
  } catch {
    return 'it is not JSON';
  }
  const isValid = withinTime(CHECK_MS, () => validate(answer));
  if (isValid === undefined) return 'it takes too long to check';
  if (isValid) return undefined;
  const error = validate.errors?.[0];
  return `${error?.message ?? 'it does not match'}${placeOf(error)}`;
}

function placeOf(error: ErrorObject | undefined): string {
  return error === undefined || error.instancePath === '' ? '' : ` at ${error.instancePath.slice(0, MAX_PLACE_LENGTH)}`;
}

const sandbox: { task?: () => void } = {};
const script = new Script('task()');
createContext(sandbox);

/**
 * Runs a task, but no longer than `ms` milliseconds of real time, since both a schema and what it is held against may be made
 * to take for ever: by a pattern, by alternatives within alternatives. Undefined: it was stopped, or ran out of stack.
 */
function withinTime<T>(ms: number, task: () => T): T | undefined {
  let result: T | undefined;
  sandbox.task = () => {
    result = task();
  };
  try {
    script.runInContext(sandbox, { timeout: ms });
    return result;
  } catch {
    return undefined;
  } finally {
    delete sandbox.task;
  }
}
