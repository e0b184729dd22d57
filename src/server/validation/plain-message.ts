import type { DescEnum, DescField, DescMessage, DescOneof } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import { StructSchema } from '@bufbuild/protobuf/wkt';
import { MAX_FIELDS, MAX_NESTING } from '../port/limits.ts';
import type { Report } from '../port/violations.ts';

const INT32 = 2 ** 31;
const INT64 = 2n ** 63n;

/** What a value of a kind must be, and whether one is that. */
type ScalarRule = readonly [isRight: (value: unknown) => boolean, rule: string];

const WHOLE: ScalarRule = [isWithin(-INT32, INT32 - 1), 'must be a whole number of 32 bits'];
const UNSIGNED: ScalarRule = [isWithin(0, 2 * INT32 - 1), 'must be a whole number of 32 bits, 0 or more'];
const LONG: ScalarRule = [isLong(-INT64, INT64 - 1n), 'must be a bigint of 64 bits'];
const UNSIGNED_LONG: ScalarRule = [isLong(0n, 2n * INT64 - 1n), 'must be a bigint of 64 bits, 0 or more'];
/** As protobuf has it: halves of a pair of surrogates have no UTF-8. */
const TEXT: ScalarRule = [
  (value) => typeof value === 'string' && value.isWellFormed(),
  'must be a text of whole characters',
];
const NUMBER: ScalarRule = [(value) => typeof value === 'number', 'must be a number'];

const SCALARS = {
  [ScalarType.STRING]: TEXT,
  [ScalarType.BOOL]: [(value) => typeof value === 'boolean', 'must be true or false'],
  [ScalarType.BYTES]: [(value) => value instanceof Uint8Array, 'must be bytes, as a Uint8Array'],
  [ScalarType.DOUBLE]: NUMBER,
  [ScalarType.FLOAT]: NUMBER,
  [ScalarType.INT32]: WHOLE,
  [ScalarType.SINT32]: WHOLE,
  [ScalarType.SFIXED32]: WHOLE,
  [ScalarType.UINT32]: UNSIGNED,
  [ScalarType.FIXED32]: UNSIGNED,
  [ScalarType.INT64]: LONG,
  [ScalarType.SINT64]: LONG,
  [ScalarType.SFIXED64]: LONG,
  [ScalarType.UINT64]: UNSIGNED_LONG,
  [ScalarType.FIXED64]: UNSIGNED_LONG,
} as const satisfies Record<ScalarType, ScalarRule>;

/** What the field of a message itself, an item of its list or a value of its map is. */
interface ValueKind {
  readonly scalar?: ScalarType | undefined;
  readonly enum?: DescEnum | undefined;
  readonly message?: DescMessage | undefined;
}

/**
 * Reports what of an object is no message of the contract, as a caller may hand it over who is not held to the types: values of
 * other types, fields that there are not, more fields or deeper nesting than the doors take, objects within themselves among it.
 * A field that is undefined or null is not set. What the values mean is not looked at.
 */
export function checkPlainMessage(schema: DescMessage, value: unknown, report: Report): void {
  new PlainMessage(report).message(schema, value, '', 0);
}

/** One look at one message. */
class PlainMessage {
  readonly #report: Report;
  #fieldsLeft = MAX_FIELDS;

  constructor(report: Report) {
    this.#report = report;
  }

  message(schema: DescMessage, value: unknown, path: string, depth: number): void {
    if (!isRecord(value)) {
      this.#report(path === '' ? 'request' : path, 'must be an object');
    } else if (schema.typeName === StructSchema.typeName) {
      this.#json(value, path, depth);
    } else if (this.#isWithinBounds(path, depth)) {
      for (const [name, own] of Object.entries(value)) {
        if (own === undefined || own === null || name.startsWith('$')) continue;
        const member = schema.members.find(({ localName }) => localName === name);
        if (member === undefined) this.#report(join(path, name), 'is no field of this message');
        else if (member.kind === 'oneof') this.#oneof(member, own, path, depth);
        else this.#field(member, own, join(path, member.name), depth);
      }
    }
  }

  #oneof({ name, fields }: DescOneof, value: unknown, path: string, depth: number): void {
    const chosen = isRecord(value) ? value : { case: '' };
    if (chosen['case'] === undefined) return;
    const field = fields.find(({ localName }) => localName === chosen['case']);
    if (field !== undefined) this.#field(field, chosen['value'], join(path, field.name), depth);
    else this.#report(join(path, name), `must have as its case ${fields.map(({ localName }) => localName).join(', ')}`);
  }

  #field(field: DescField, value: unknown, path: string, depth: number): void {
    if (field.fieldKind === 'list') {
      if (!Array.isArray(value)) this.#report(path, 'must be a list');
      else for (const [index, item] of value.entries()) this.#value(field, item, `${path}[${index}]`, depth);
    } else if (field.fieldKind === 'map') {
      if (!isRecord(value) || !isPlain(value)) this.#report(path, 'must be an object');
      else for (const [key, item] of Object.entries(value)) this.#value(field, item, at(path, key), depth);
    } else {
      this.#value(field, value, path, depth);
    }
  }

  #value(kind: ValueKind, value: unknown, path: string, depth: number): void {
    this.#fieldsLeft -= 1;
    if (kind.message !== undefined) {
      this.message(kind.message, value, path, depth + 1);
      return;
    }
    const [isRight, rule] = kind.scalar === undefined ? WHOLE : SCALARS[kind.scalar];
    if (!isRight(value)) this.#report(path, rule);
  }

  #json(value: unknown, path: string, depth: number): void {
    this.#fieldsLeft -= 1;
    if (!this.#isWithinBounds(path, depth)) return;
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) this.#json(item, `${path}[${index}]`, depth + 1);
    } else if (isRecord(value) && isPlain(value) && typeof value['toJSON'] !== 'function') {
      for (const [key, item] of Object.entries(value))
        if (item !== undefined) this.#json(item, at(path, key), depth + 1);
    } else if (typeof value === 'string') {
      if (!value.isWellFormed()) this.#report(path, TEXT[1]);
    } else if (value !== null && typeof value !== 'number' && typeof value !== 'boolean') {
      this.#report(path, 'must be JSON');
    }
  }

  /** Says once what is too much; nothing else is looked at then. */
  #isWithinBounds(path: string, depth: number): boolean {
    if (depth <= MAX_NESTING && this.#fieldsLeft >= 0) return true;
    if (this.#fieldsLeft > -Infinity) {
      this.#report(
        path,
        this.#fieldsLeft < 0
          ? `a request may have at most ${MAX_FIELDS} fields`
          : `must be nested at most ${MAX_NESTING} deep`,
      );
    }
    this.#fieldsLeft = -Infinity;
    return false;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether an object's content is its fields: that of a Map, of bytes or of a boxed number is none of them, and would be lost. */
function isPlain(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]';
}

function isWithin(least: number, most: number): (value: unknown) => boolean {
  return (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

function isLong(least: bigint, most: bigint): (value: unknown) => boolean {
  return (value) => typeof value === 'bigint' && value >= least && value <= most;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function at(path: string, key: string): string {
  return `${path}[${JSON.stringify(key)}]`;
}
