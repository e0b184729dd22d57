import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { file_understudy_v1_admin } from '../../gen/understudy/v1/admin_pb.ts';
import { file_understudy_v1_llm } from '../../gen/understudy/v1/llm_pb.ts';
import { file_understudy_v1_usage_service } from '../../gen/understudy/v1/usage_service_pb.ts';

const PAGE = readFileSync(new URL('../../docs/contract.md', import.meta.url), 'utf8');
const SECTIONS = new Map(PAGE.split('\n### ').map((text) => [text.slice(0, text.indexOf('\n')), text]));

const FILES = [
  file_understudy_v1_admin,
  file_understudy_v1_usage_service,
  file_understudy_v1_llm,
  ...file_understudy_v1_llm.dependencies,
].filter(({ proto }) => proto.package === 'understudy.v1');
const MESSAGES = FILES.flatMap(({ messages }) => messages.flatMap((one) => [one, ...one.nestedMessages]));
const ENUMS = FILES.flatMap(({ enums }) => enums);
const SERVICES = FILES.flatMap(({ services }) => services);

function sectionOf({ typeName }: { readonly typeName: string }): string {
  return SECTIONS.get(typeName.replace('understudy.v1.', '')) ?? '';
}

test('every field has a row with its number and what it means', () => {
  const fields = MESSAGES.flatMap((message) => message.fields);
  expect(fields.length).toBeGreaterThan(150);
  for (const { parent, number, name } of fields) {
    expect(sectionOf(parent)).toMatch(
      new RegExp(`^\\| ${number} \\| (?:↳ )?\`${name}\` \\| [^|]+ \\| [^|]+ \\|$`, 'm'),
    );
  }
});

test('every enum value has a row with its number and what it means', () => {
  for (const { parent, number, name } of ENUMS.flatMap(({ values }) => values)) {
    expect(sectionOf(parent)).toMatch(new RegExp(`^\\| ${number} \\| \`${name}\` \\| [^|]+ \\|$`, 'm'));
  }
});

test('every rpc has a row with its request, its response and what it does', () => {
  for (const { parent, name } of SERVICES.flatMap(({ methods }) => methods)) {
    expect(sectionOf(parent)).toMatch(new RegExp(`^\\| \`${name}\` \\| [^|]+ \\| [^|]+ \\| [^|]+ \\|$`, 'm'));
  }
});

test('the page has a section for each type and no other', () => {
  const names = [...SERVICES, ...MESSAGES, ...ENUMS].map(({ typeName }) => typeName.replace('understudy.v1.', ''));
  expect([...SECTIONS.keys()].slice(1).sort()).toEqual(names.sort());
});

test('every link within the page leads to a section', () => {
  const anchors = new Set([...SECTIONS.keys()].map((name) => name.replaceAll('.', '').toLowerCase()));
  const links = [...PAGE.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor = '']) => anchor);
  expect(links.length).toBeGreaterThan(50);
  expect(links.filter((anchor) => !anchors.has(anchor))).toEqual([]);
});
