import { type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { AdminService } from '../../../gen/understudy/v1/admin_pb.ts';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
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

  test('lets no text be a number that takes long to read', () => {
    const digits = '9'.repeat(70_000);
    const limits = { ...LIMITS, textBytes: 1e6 };
    const of = (name: string) => lookAtJson(Buffer.from(`{"${name}":"${digits}"}`), limits);
    expect([of('seed'), of(String.raw`\u0073eed`), of('text')]).toEqual(['malformed', 'malformed', 2]);
  });

  test('knows the names of attachments and of 64-bit numbers', () => {
    const names = { bytes: new Set<string>(), numbers: new Set<string>() };
    const seen = new Set<DescMessage>();
    const visit = (message: DescMessage): void => {
      // What is well known has a form of its own in JSON.
      if (seen.has(message) || message.typeName.startsWith('google.')) return;
      seen.add(message);
      for (const field of message.fields) {
        if (field.scalar === ScalarType.BYTES) names.bytes.add(field.jsonName);
        if (field.scalar === ScalarType.INT64 || field.scalar === ScalarType.UINT64) names.numbers.add(field.jsonName);
        if (field.message !== undefined) visit(field.message);
      }
    };
    for (const method of [...LlmService.methods, ...AdminService.methods]) visit(method.input);
    expect(seen.size).toBeGreaterThan(15);
    expect([[...names.bytes], [...names.numbers]]).toEqual([['data'], ['seed']]);
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
