/** A field of a request that breaks a rule, as in `google.rpc.BadRequest`. */
export interface Violation {
  /** Path in the names of the proto files, such as `messages[2].content[0].text`. */
  readonly field: string;
  /** The rule in one sentence; never the value. */
  readonly description: string;
}

/** Takes a violation. */
export type Report = (field: string, description: string) => void;

/** Most violations that one error names. */
const MAX_VIOLATIONS = 20;

/** Longest path, in characters; keys of maps are the caller's and may be of any length. */
const MAX_FIELD_LENGTH = 128;

/** What the names of tools and schemas are made of. */
export const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** The same in words. */
export const TOOL_NAME_RULE = 'must be 1 to 64 letters, digits, "_" or "-"';

/** Thrown through checks when enough is found. */
const ENOUGH = new Error('enough is found');

/** Runs checks and returns what they report, in their order. They end with the twentieth finding: there may be thousands. */
export function collectViolations(check: (report: Report) => void): readonly Violation[] {
  const found: Violation[] = [];
  try {
    check((field, description) => {
      found.push({ field: field.slice(0, MAX_FIELD_LENGTH), description });
      if (found.length === MAX_VIOLATIONS) throw ENOUGH;
    });
  } catch (thrown) {
    if (thrown !== ENOUGH) throw thrown;
  }
  return found;
}

/** Whether a number of an open enum is a value that this version of the contract knows. */
export function isKnownEnumValue(values: Readonly<Record<string, number>>, value: number): boolean {
  for (const name in values) {
    if (values[name] === value) return true;
  }
  return false;
}
