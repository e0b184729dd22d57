import { describe, expect, test } from 'vitest';
import { lookAtJson } from '../../../src/server/wire/json-shape.ts';

const LIMITS = { fields: 1_000, nesting: 10, textBytes: 10_000 };
const look = (text: string) => lookAtJson(Buffer.from(text), LIMITS);

describe('a look at a message in JSON', () => {
  test('counts its values', () => {
    expect(look('{"a":[1,2,3],"b":{"c":null}}')).toBe(7);
    expect(look('')).toBe(1);
  });

  test('ends at the value that is one too many', () => {
    expect(look(`[${'0,'.repeat(997)}0]`)).toBe(999);
    expect(look(`[${'{},'.repeat(1_000)}0]`)).toBe('too_many_fields');
    expect(look(`[${'0,'.repeat(1_000)}0]`)).toBe('too_many_fields');
  });

  test('ends at what is one too deep', () => {
    expect(look('['.repeat(10) + ']'.repeat(10))).toBe(11);
    expect(look('['.repeat(5) + '{"a":'.repeat(6))).toBe('too_deep');
  });

  test('passes over texts, whatever stands in them', () => {
    expect(look(`{"a":"${'[{,:'.repeat(1_000)}"}`)).toBe(2);
    expect(look(String.raw`{"a\"":"\"[[[[[[[[[[[","b":"\\","c":"\\\"[[[[[[[[[[["}`)).toBe(4);
    expect(look('{"a":"[[[[[[[[[[[[')).toBe(2);
  });

  test('bounds text, and lets attachments be', () => {
    const long = 'a'.repeat(20_000);
    expect(look(`{"image":{"data":"${long}","mediaType":"image/png"}}`)).toBe(4);
    expect(look(`{"image": {"data" : "${long}"}}`)).toBe(3);
    expect(look(`{"text":"${long}"}`)).toBe('too_much_text');
    expect(look(`{"data":"short","text":"${long}"}`)).toBe('too_much_text');
    expect(look(' '.repeat(10_001))).toBe('too_much_text');
  });
});
