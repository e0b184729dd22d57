import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { configJsonSchema } from '../../src/config/file/editor-schema.ts';
import { createConfig } from '../../src/config/load.ts';
import { valueAt } from '../../src/config/port/problem.ts';
import { loadText } from './loading.ts';

const root = new URL('../../', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, root), 'utf8');

/** Paths of all fields, without the indexes of lists. */
function schemaFields(schema: unknown, path = ''): string[] {
  const items = valueAt(schema, ['items']);
  if (items !== undefined) return schemaFields(items, path);
  // Of several forms the first stands for all.
  const forms = valueAt(schema, ['anyOf']);
  const properties = valueAt(schema, ['properties']) ?? valueAt(forms, [0, 'properties']);
  if (Array.isArray(forms) && properties !== undefined) return schemaFields(forms[0], path);
  if (typeof properties !== 'object' || properties === null) return [path];
  return Object.entries(properties).flatMap(([name, field]) => schemaFields(field, `${path}.${name}`));
}

function writtenFields(value: unknown, path = ''): string[] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((item) => writtenFields(item, path));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, item]) => writtenFields(item, `${path}.${name}`));
}

describe('understudy.example.yaml', () => {
  const text = read('understudy.example.yaml');
  const env = { AZURE_OPENAI_API_KEY: 'azure-key', OPENAI_API_KEY: 'openai-key', ANTHROPIC_API_KEY: 'anthropic-key' };

  test('is a valid file', () => {
    const config = loadText(text, env);
    expect(config.targets.map((target) => [target.name, target.apiKey])).toEqual([
      ['azure-eu', 'azure-key'],
      ['openai', 'openai-key'],
      ['anthropic', 'anthropic-key'],
      ['vllm', undefined],
      ['rehearsal', undefined],
    ]);
    expect(config.routes.map((route) => route.name)).toEqual(['default', 'local-first']);
    expect(config.warnings).toEqual([]);
  });

  test('shows the defaults of everything but targets and routes', () => {
    const shown = loadText(text, env);
    const { circuitBreaker, retry, server } = createConfig({});
    expect(shown).toMatchObject({ circuitBreaker, retry, server });
  });

  test('shows every field', () => {
    // Files that are not there would be an error: this section is commented out.
    const whole = text.replaceAll(/^ {2}# (tls:|admin_tls: .*| {2}[a-z_]+: .*)$/gm, '  $1');
    const shown = new Set(writtenFields(parse(whole)));
    // These name files, or need one.
    for (const field of ['.callers.mtls.san', '.api_keys_file', '.prices_file', '.ledger.postgres']) {
      expect(text).toMatch(new RegExp(`# .*${field.split('.').at(-1)}: `));
      shown.add(field);
    }
    expect(schemaFields(configJsonSchema()).filter((field) => !shown.has(field))).toEqual([]);
    expect(schemaFields(configJsonSchema()).length).toBeGreaterThan(30);
  });
});

test('understudy.schema.json is what the schema makes (npm run generate:schema)', () => {
  expect(JSON.parse(read('understudy.schema.json'))).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});
