import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import type { ShapeFault, ShapeLimits } from './message-shape.ts';

/** Wire types (protobuf encoding, "Message Structure"). */
const VARINT = 0;
const BIT64 = 1;
const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const BIT32 = 5;

/** Those of scalars that are no varints. */
const WIRE_TYPES: ReadonlyMap<ScalarType | undefined, number> = new Map([
  [ScalarType.STRING, LENGTH_DELIMITED],
  [ScalarType.BYTES, LENGTH_DELIMITED],
  [ScalarType.DOUBLE, BIT64],
  [ScalarType.FIXED64, BIT64],
  [ScalarType.SFIXED64, BIT64],
  [ScalarType.FLOAT, BIT32],
  [ScalarType.FIXED32, BIT32],
  [ScalarType.SFIXED32, BIT32],
]);

/** What is known of one field before it is decoded. */
interface KnownField {
  readonly wireType: number;
  /** Whether values may be packed, several in one length-delimited field. */
  readonly mayBePacked: boolean;
  readonly isAttachment: boolean;
  /** The message within; absent for any other kind. */
  readonly child?: KnownFields;
}

/** The fields of a message by their number; sparse. */
type KnownFields = (KnownField | undefined)[];

const NOTHING_KNOWN: KnownFields = [];
const LAST_VARINT_BYTE = 9;

const known = new WeakMap<DescMessage, KnownFields>();

/**
 * Looks at an encoded message without decoding it: one pass over its tags and lengths, nothing allocated, texts and bytes
 * skipped. Stricter than the decoder where that lets malformed input through: a wire type that is not the field's, and a
 * message that reaches beyond the one around it, are faults.
 *
 * @returns the first fault, or how many fields there are
 */
export function lookAtBinary(schema: DescMessage, bytes: Uint8Array, limits: ShapeLimits): ShapeFault | number {
  const look = new BinaryLook(bytes, limits);
  const fault = look.message(fieldsOf(schema), bytes.byteLength, 1);
  if (fault !== undefined) return fault;
  return bytes.byteLength - look.attachmentBytes > limits.textBytes ? 'too_much_text' : look.fields;
}

class BinaryLook {
  attachmentBytes = 0;
  fields = 0;
  readonly #bytes: Uint8Array;
  readonly #limits: ShapeLimits;
  #at = 0;

  constructor(bytes: Uint8Array, limits: ShapeLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  /** Looks at the fields up to `end`, or where `group` is given, up to the end of the group of that number. */
  message(fields: KnownFields, end: number, depth: number, group?: number): ShapeFault | undefined {
    if (depth > this.#limits.nesting) return 'too_deep';
    while (this.#at < end) {
      const tag = this.#varint(end);
      const number = tag >>> 3;
      const wireType = tag & 7;
      if (tag < 0 || number === 0) return 'malformed';
      if (wireType === END_GROUP) return number === group ? undefined : 'malformed';
      this.fields += 1;
      if (this.fields > this.#limits.fields) return 'too_many_fields';
      const field = fields[number];
      if (field !== undefined && wireType !== field.wireType && !isPacked(field, wireType)) return 'malformed';
      const fault = this.#value(wireType, number, field, end, depth);
      if (fault !== undefined) return fault;
    }
    return group === undefined ? undefined : 'malformed';
  }

  #value(wireType: number, number: number, field: KnownField | undefined, end: number, depth: number) {
    switch (wireType) {
      case VARINT:
        return this.#varint(end) < 0 ? 'malformed' : undefined;
      case BIT64:
        return this.#skip(8, end);
      case BIT32:
        return this.#skip(4, end);
      case START_GROUP:
        return this.message(NOTHING_KNOWN, end, depth + 1, number);
      case LENGTH_DELIMITED:
        return this.#delimited(field, end, depth);
      default:
        return 'malformed';
    }
  }

  #delimited(field: KnownField | undefined, end: number, depth: number): ShapeFault | undefined {
    const length = this.#varint(end);
    if (length < 0 || length > end - this.#at) return 'malformed';
    if (field?.child !== undefined) return this.message(field.child, this.#at + length, depth + 1);
    if (field?.isAttachment === true) this.attachmentBytes += length;
    // One byte may be one value.
    else if (field?.mayBePacked === true) this.fields += length;
    this.#at += length;
    return undefined;
  }

  #skip(length: number, end: number): ShapeFault | undefined {
    if (length > end - this.#at) return 'malformed';
    this.#at += length;
    return undefined;
  }

  /** Reads the low 32 bits of a varint, as the decoder reads tags and lengths; -1 where it is cut off or too long. */
  #varint(end: number): number {
    let value = 0;
    for (let index = 0; index <= LAST_VARINT_BYTE && this.#at < end; index += 1) {
      const byte = this.#bytes[this.#at] ?? 0;
      this.#at += 1;
      if (index < 5) value |= (byte & 0x7f) << (7 * index);
      if (byte < 0x80) return value >>> 0;
    }
    return -1;
  }
}

function isPacked(field: KnownField, wireType: number): boolean {
  return field.mayBePacked && wireType === LENGTH_DELIMITED;
}

function fieldsOf(schema: DescMessage): KnownFields {
  const found = known.get(schema);
  if (found !== undefined) return found;
  const fields: KnownFields = [];
  // Before its fields: a message may be within itself.
  known.set(schema, fields);
  for (const field of schema.fields) fields[field.number] = knownField(field);
  return fields;
}

function knownField(field: DescField): KnownField {
  const plain = { mayBePacked: false, isAttachment: false };
  switch (field.fieldKind) {
    case 'message':
      return { ...plain, ...ofMessage(field.message) };
    case 'scalar':
      return { ...plain, wireType: wireTypeOf(field.scalar), isAttachment: field.scalar === ScalarType.BYTES };
    case 'enum':
      return { ...plain, wireType: VARINT };
    case 'map': {
      const value = field.mapKind === 'message' ? ofMessage(field.message) : { wireType: wireTypeOf(field.scalar) };
      const entry: KnownFields = [];
      entry[1] = { ...plain, wireType: wireTypeOf(field.mapKey) };
      entry[2] = { ...plain, ...value };
      return { ...plain, wireType: LENGTH_DELIMITED, child: entry };
    }
    case 'list': {
      if (field.listKind === 'message') return { ...plain, ...ofMessage(field.message) };
      const wireType = wireTypeOf(field.scalar);
      const mayBePacked = wireType !== LENGTH_DELIMITED;
      return { wireType, mayBePacked, isAttachment: field.scalar === ScalarType.BYTES };
    }
  }
}

function ofMessage(message: DescMessage) {
  return { wireType: LENGTH_DELIMITED, child: fieldsOf(message) };
}

/** Returns the wire type of a scalar; that of an enum where there is none. */
function wireTypeOf(scalar: ScalarType | undefined): number {
  return WIRE_TYPES.get(scalar) ?? VARINT;
}
