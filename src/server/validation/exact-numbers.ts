import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { Report } from '../port/violations.ts';

/** Deepest nesting that is looked at: more than a message of the contract can have. */
const MAX_DEPTH = 100;

/**
 * Reports every number of a `google.protobuf.Struct` that cannot be what its sender meant. A Struct carries doubles: a whole number
 * from 2^53 on may have lost digits on its way, and NaN and the infinities have no JSON.
 *
 * @param path that of `value`; further names are added in brackets
 */
export function checkExactNumbers(value: JsonObject, path: string, report: Report): void {
  check(value, path, 0, report);
}

function check(value: JsonValue, path: string, depth: number, report: Report): void {
  if (typeof value === 'number') checkNumber(value, path, report);
  if (typeof value !== 'object' || value === null) return;
  if (depth === MAX_DEPTH) {
    report(path, `must be nested at most ${MAX_DEPTH} deep`);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) check(item, `${path}[${index}]`, depth + 1, report);
  } else {
    for (const [name, item] of Object.entries(value)) {
      check(item, `${path}[${JSON.stringify(name)}]`, depth + 1, report);
    }
  }
}

function checkNumber(value: number, path: string, report: Report): void {
  if (!Number.isFinite(value)) report(path, 'must be a finite number');
  else if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    report(path, 'must be a whole number below 2^53; send a larger one as text, since a number loses digits');
  }
}
