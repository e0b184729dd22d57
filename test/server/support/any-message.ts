import { type DescEnum, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import fc from 'fast-check';

const INT32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };
const TEXT = fc.oneof(
  fc.constant(''),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 400 }).map((text) => text.toWellFormed()),
);

const SCALARS: Partial<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  [ScalarType.STRING]: TEXT,
  [ScalarType.INT32]: fc.oneof(fc.constant(0), fc.integer(INT32)),
  [ScalarType.INT64]: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  [ScalarType.DOUBLE]: fc.oneof(fc.constantFrom(0, -0), fc.double()),
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.BYTES]: fc.uint8Array({ maxLength: 20 }),
};

function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  const found = SCALARS[type];
  if (found === undefined) throw new Error(`no values for ${ScalarType[type]}`);
  return found;
}

function enumValue({ values }: DescEnum): fc.Arbitrary<number> {
  return fc.constantFrom(...values.map(({ number }) => number));
}

/** Values of a field in the shape that `create` takes. */
function field(desc: DescField, depth: number): fc.Arbitrary<unknown> {
  switch (desc.fieldKind) {
    case 'scalar':
      return scalar(desc.scalar);
    case 'enum':
      return enumValue(desc.enum);
    case 'message':
      return anyMessage(desc.message, depth - 1);
    case 'list': {
      const items =
        desc.listKind === 'message'
          ? anyMessage(desc.message, depth - 1)
          : desc.listKind === 'enum'
            ? enumValue(desc.enum)
            : scalar(desc.scalar);
      return fc.array(items, { maxLength: 3 });
    }
    case 'map':
      if (desc.mapKind !== 'scalar') throw new Error('no values for such maps');
      return fc.dictionary(TEXT, scalar(desc.scalar), { maxKeys: 3 });
  }
}

/** Any message of a schema, by whatever the contract says of it, with messages in it to some depth. */
export function anyMessage(desc: DescMessage, depth: number): fc.Arbitrary<object> {
  const isShallow = (member: DescField): boolean => depth > 0 || !('message' in member) || member.message === undefined;
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  for (const member of desc.members) {
    if (member.kind === 'oneof') {
      const cases = member.fields
        .filter(isShallow)
        .map((each) => fc.record({ case: fc.constant(each.localName), value: field(each, depth) }));
      fields[member.localName] = fc.oneof(fc.constant({ case: undefined }), ...cases);
    } else if (isShallow(member)) {
      fields[member.localName] = field(member, depth);
    }
  }
  return fc.record(fields, { requiredKeys: [] });
}
