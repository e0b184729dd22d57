import { existsSync, readFileSync } from 'node:fs';

import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';

const FOLDER = new URL('../../../shared/fixtures/specs/', import.meta.url);

/** Whether the providers' OpenAPI documents are there; what needs them is skipped otherwise. */
export const hasSpecs: boolean = existsSync(FOLDER);

const loaded = new Map<string, Ajv2020>();

/** Where a document says less than the provider takes, or contradicts itself, with what it is taken to say instead. */
export interface Correction {
  /** Path in `components.schemas`. */
  readonly at: readonly string[];
  readonly change: (schema: Record<string, unknown>) => object;
  readonly reason: string;
}

/**
 * Makes the check of request bodies against a schema of an OpenAPI document. Stricter than the document: a field at the top
 * of the body that the schema does not name is wrong as well.
 */
export function bodyCheck(file: string, schema: string, corrections: readonly Correction[] = []): ValidateFunction {
  const key = [file, ...corrections.map(({ at }) => at.join('.'))].join(' ');
  const ajv = loaded.get(key) ?? load(file, corrections);
  loaded.set(key, ajv);
  return ajv.compile({ allOf: [{ $ref: `spec#/components/schemas/${schema}` }], unevaluatedProperties: false });
}

/** Writes what is wrong with a body in one line, without the values and with `*` for positions. */
export function wrongWith(errors: readonly ErrorObject[] | null | undefined): string {
  // The last one is the outermost: of alternatives that all fail it names the place of the choice.
  const error = errors?.at(-1);
  if (error === undefined) return '';
  const place = error.instancePath.replaceAll(/\/\d+/g, '/*');
  const { unevaluatedProperty } = error.params as { readonly unevaluatedProperty?: string };
  return `${place} ${error.keyword}${unevaluatedProperty === undefined ? '' : ` ${unevaluatedProperty}`}`;
}

function load(file: string, corrections: readonly Correction[]): Ajv2020 {
  const document = structuredClone(documents.get(file) ?? read(file)) as Record<string, unknown>;
  for (const correction of corrections) apply(correction, document);
  const ajv = new Ajv2020({
    strict: false,
    validateFormats: false,
    validateSchema: false,
    inlineRefs: false,
    logger: false,
    code: { optimize: false },
  });
  return ajv.addSchema({ $id: 'spec', ...document });
}

const documents = new Map<string, unknown>();

function read(file: string): unknown {
  const source = readFileSync(new URL(file, FOLDER), 'utf8');
  const document = withoutNullable(source.startsWith('{') ? JSON.parse(source) : parse(source, { maxAliasCount: -1 }));
  documents.set(file, document);
  return document;
}

function apply({ at, change }: Correction, document: Record<string, unknown>): void {
  const path = ['components', 'schemas', ...at];
  const last = path.pop() ?? '';
  let holder = document;
  for (const name of path) holder = holder[name] as Record<string, unknown>;
  holder[last] = change((holder[last] ?? {}) as Record<string, unknown>);
}

/** OpenAPI 3.1 no longer has `nullable`, but the documents do, and ajv takes it only beside a type. */
function withoutNullable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNullable);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, inner]) => key !== 'nullable' || typeof inner === 'object');
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutNullable(inner)]));
}
