// What is read of a file of prices. Each throws a RangeError that begins with the place `at` which the value has in the file.

/** Returns the fields of an object, of which only the `known` ones may be there; absent: any. */
export function fieldsAt(value: unknown, at: string, known?: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RangeError(`${at}: not an object`);
  }
  const fields: Record<string, unknown> = { ...value };
  const unknown = known && Object.keys(fields).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(`${at}.${unknown}: unknown field`);
  }
  return fields;
}

/** Returns a list. */
export function listAt(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) {
    throw new RangeError(`${at}: not a list`);
  }
  return value;
}

/** Returns a text that is not empty. */
export function textAt(value: unknown, at: string): string {
  if (typeof value !== 'string' || value === '') {
    throw new RangeError(`${at}: not a text`);
  }
  return value;
}

/** Returns a list of such texts; one that is absent is empty. */
export function textsAt(value: unknown, at: string): readonly string[] {
  return optional(value, [], (list) => listAt(list, at)).map((item) => textAt(item, at));
}

/** Returns a whole number from `least` to `most`. */
export function countAt(value: unknown, at: string, least = 0, most: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${at}: not a whole number from ${least} to ${most}`);
  }
  return value;
}

/** Reads a value that may be absent, and then is `otherwise`. */
export function optional<Value, Default>(
  value: unknown,
  otherwise: Default,
  read: (value: unknown) => Value,
): Value | Default {
  return value === undefined ? otherwise : read(value);
}

/** Returns what `read` does; puts the place before what it finds wrong with a value, which is a RangeError. */
export function placed<Value>(at: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(`${at}: ${error.message}`) : error;
  }
}
