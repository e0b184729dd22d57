import type { Quirk } from '../../port/quirk.ts';
import type { JsonRecord } from '../json/value.ts';

/** Fields of Chat Completions and Responses that have an older or newer name too. */
const OTHER_NAMES: readonly (readonly [quirk: Quirk, name: string, other: string])[] = [
  ['no max_tokens', 'max_tokens', 'max_completion_tokens'],
  ['no max_completion_tokens', 'max_completion_tokens', 'max_tokens'],
  ['no safety_identifier', 'safety_identifier', 'user'],
];

/** Returns the fields under the names that a server takes, as far as it is known to refuse one of two, and never both. */
export function renamedFields(fields: JsonRecord, quirks: ReadonlySet<Quirk>): JsonRecord {
  let renamed = fields;
  for (const [quirk, name, other] of OTHER_NAMES) {
    if (!quirks.has(quirk) || fields[name] === undefined || refuses(other, quirks)) continue;
    const { [name]: value, ...others } = renamed;
    renamed = { ...others, [other]: value };
  }
  return renamed;
}

function refuses(name: string, quirks: ReadonlySet<Quirk>): boolean {
  return OTHER_NAMES.some(([quirk, other]) => other === name && quirks.has(quirk));
}
