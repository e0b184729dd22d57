import { ScalarType } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';

import { GenerationOptionsSchema } from '../../../gen/understudy/v1/chat_pb.ts';
import { OPTION_RANGES } from '../../../src/server/validation/option-ranges.ts';
import { validateChat } from '../../../src/server/validation/requests.ts';
import { chat } from '../support/requests.ts';

/** Every option that is a number of a range, with the values at its edges and those just outside. */
const RANGES = GenerationOptionsSchema.fields.flatMap(({ localName, name, scalar }) => {
  const [, range] = Object.entries(OPTION_RANGES).find(([option]) => option === localName) ?? [];
  if (typeof range !== 'object') return [];
  const { least, above, most } = range;
  const step = scalar === ScalarType.DOUBLE ? 0.001 : 1;
  const taken = [least, most, above === undefined ? undefined : above + step];
  const refused = [
    least === undefined ? undefined : least - step,
    most === undefined ? undefined : most + step,
    above,
    ...(scalar === ScalarType.DOUBLE ? [Number.NaN] : []),
  ];
  return [{ localName, field: `options.${name}`, taken: taken.filter(isSet), refused: refused.filter(isSet) }];
});

function isSet(value: number | undefined): value is number {
  return value !== undefined;
}

function wrongFields(localName: string, value: number): readonly string[] {
  return validateChat(chat({ options: { [localName]: value } })).map(({ field }) => field);
}

describe.each(RANGES)('$field', ({ localName, field, taken, refused }) => {
  test.each(taken)('may be %d, at the edge of its range', (value) => {
    expect(wrongFields(localName, value)).toEqual([]);
  });

  test.each(refused)('may not be %d', (value) => {
    expect(wrongFields(localName, value)).toEqual([field]);
  });
});

test('the ranges are those of sampling, of penalties and of limits', () => {
  const ranges = ['temperature', 'topP', 'maxTokens', 'presencePenalty', 'frequencyPenalty'];
  expect(RANGES.map(({ localName }) => localName)).toEqual(expect.arrayContaining(ranges));
});
