import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { clone, createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import type { FileDescriptorSet } from '@bufbuild/protobuf/wkt';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUF = `${ROOT}node_modules/.bin/buf`;
const FIX = 'proto/ has what proto/baseline.binpb does not know: run `npm run baseline` and commit it with your change';

const contract = fromBinary(
  FileDescriptorSetSchema,
  execFileSync(BUF, ['build', 'proto', '--as-file-descriptor-set', '-o', '-'], { cwd: ROOT }),
);
const baseline = fromBinary(FileDescriptorSetSchema, readFileSync(`${ROOT}proto/baseline.binpb`));

/** The names of all that callers can see: types, fields, enum values and rpcs. */
function namesOf(files: FileDescriptorSet): readonly string[] {
  return [...createFileRegistry(files)].flatMap((desc) => {
    if (desc.kind === 'message') return [desc, ...desc.fields].map(String);
    if (desc.kind === 'enum') return [desc, ...desc.values].map(String);
    return desc.kind === 'service' ? [desc, ...desc.methods].map(String) : [];
  });
}

/** What a baseline does not know, and so does not protect. */
function unknownTo(known: FileDescriptorSet): readonly string[] {
  const names = new Set(namesOf(known));
  return namesOf(contract).filter((name) => !names.has(name));
}

test('the baseline knows everything in proto/, so that no change of it goes unseen', () => {
  expect(unknownTo(baseline), FIX).toEqual([]);
  expect(namesOf(baseline).length).toBeGreaterThan(250);
});

test('a field, an enum value and an rpc that the baseline does not know are named', () => {
  const older = clone(FileDescriptorSetSchema, contract);
  const file = (name: string) => older.file.find((one) => one.name === `understudy/v1/${name}.proto`);
  const rpc = file('llm')?.service[0]?.method.pop();
  const field = file('usage')?.messageType[0]?.field.pop();
  const value = file('usage')?.enumType[0]?.value.pop();
  const missing = [
    `rpc understudy.v1.LlmService.${rpc?.name}`,
    `field understudy.v1.Usage.${field?.name}`,
    `enum value understudy.v1.UsageSource.${value?.name}`,
  ];
  expect(unknownTo(older).toSorted()).toEqual(missing.sort());
});
