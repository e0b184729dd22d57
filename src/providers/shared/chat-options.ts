import type { AdapterTarget, AdapterWarning, Chat } from '../port/adapter.ts';
import type { JsonRecord } from './json/value.ts';
import { asRecord } from './json/value.ts';
import { parameterDropped } from './warnings.ts';

/** Options in the form of a request body. */
export interface WireOptions {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly warnings: readonly AdapterWarning[];
  /** Stop texts that the provider is not told. */
  readonly localStop: readonly string[];
  /** Whether the provider is told no more of the schema of the answer than that it is JSON. */
  readonly localSchema?: boolean;
}

/** The options of a request; absent ones are no different from empty ones. */
export type Options = NonNullable<Chat['options']>;

const DROPPED = 'The model does not take this parameter; it was left out.';

/** Says of each option that it was left out, as far as it is set; the fields are in the contract's names. */
export function dropSet(fields: Readonly<Record<string, unknown>>): readonly AdapterWarning[] {
  const warnings: AdapterWarning[] = [];
  for (const field in fields) {
    if (fields[field] !== undefined) warnings.push(parameterDropped(`options.${field}`, DROPPED));
  }
  return warnings;
}

/** Leaves out fields that are not set. */
export function setOnly(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const set: Record<string, unknown> = {};
  for (const field in fields) if (fields[field] !== undefined) set[field] = fields[field];
  return set;
}

/** Sends the id of the end user under a provider's name for it, or leaves it out where it is too long. */
export function fitEndUser(
  name: string,
  id: string | undefined,
  fits: (id: string) => boolean,
): Pick<WireOptions, 'fields' | 'warnings'> {
  if (id === undefined || id === '') return { fields: {}, warnings: [] };
  if (fits(id)) return { fields: { [name]: id }, warnings: [] };
  return { fields: {}, warnings: [parameterDropped('options.end_user', 'The provider takes no id of this length.')] };
}

/** Returns the seed as a number where JSON can carry it without loss. */
export function exactSeed(options: Options | undefined): number | undefined {
  if (options?.seed === undefined) return undefined;
  const seed = Number(options.seed);
  return Number.isSafeInteger(seed) ? seed : undefined;
}

/** Fields that the gateway writes whatever the caller wants: by them it routes, reads and bills. */
const RESERVED: ReadonlySet<string> = new Set(['model', 'stream']);

/**
 * Lays the caller's own fields for this provider over a request body. They win, but for `model` and `stream`, which are left
 * out with a warning. Of the fields `shared` the two objects are joined, so that one further setting does not drop
 * the others; every other field is replaced whole.
 */
export function withProviderOptions(
  body: JsonRecord,
  options: Options | undefined,
  target: AdapterTarget,
  ...shared: readonly string[]
): { readonly body: JsonRecord; readonly warnings: readonly AdapterWarning[] } {
  const own: JsonRecord | undefined = options?.providerOptions[target.provider];
  if (own === undefined) return { body, warnings: [] };
  const extra = Object.fromEntries(Object.entries(own).filter(([name]) => !RESERVED.has(name)));
  const joined: Record<string, unknown> = {};
  for (const field of shared) {
    const ours = asRecord(body[field]);
    const theirs = asRecord(extra[field]);
    if (ours !== undefined && theirs !== undefined) joined[field] = { ...ours, ...theirs };
  }
  return {
    body: { ...body, ...extra, ...joined },
    warnings: Object.keys(own)
      .filter((name) => RESERVED.has(name))
      .map((name) =>
        parameterDropped(`options.provider_options.${target.provider}.${name}`, 'The gateway sets this field itself.'),
      ),
  };
}
