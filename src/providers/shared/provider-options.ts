import type { AdapterTarget, AdapterWarning, Chat } from '../port/adapter.ts';
import type { JsonRecord } from './json/value.ts';
import { asRecord } from './json/value.ts';
import { parameterDropped } from './warnings.ts';

/** Fields that the gateway writes whatever the caller wants: by them it routes, reads and bills. */
const RESERVED: ReadonlySet<string> = new Set(['model', 'stream']);

/**
 * Lays the caller's own fields for this provider over a request body. They win, but for `model` and `stream`, which are left
 * out with a warning. Of the fields `shared` the two objects are joined, so that one further setting does not drop
 * the others; every other field is replaced whole.
 */
export function withProviderOptions(
  body: JsonRecord,
  options: Chat['options'],
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
