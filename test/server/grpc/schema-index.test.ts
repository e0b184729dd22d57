import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_descriptor,
} from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { file_understudy_v1_llm } from '../../../gen/understudy/v1/llm_pb.ts';
import { SchemaIndex } from '../../../src/server/grpc/schema-index.ts';

/** A file that adds a field to the options of messages, as tools of others do. */
function fileWithExtension() {
  const extension = {
    name: 'owner',
    number: 50_001,
    label: FieldDescriptorProto_Label.OPTIONAL,
    type: FieldDescriptorProto_Type.STRING,
    extendee: '.google.protobuf.MessageOptions',
  };
  const file = {
    name: 'team/owner.proto',
    package: 'team',
    dependency: ['google/protobuf/descriptor.proto'],
    extension: [extension],
  };
  const set = create(FileDescriptorSetSchema, {
    file: [file_google_protobuf_descriptor.proto, create(FileDescriptorProtoSchema, file)],
  });
  const found = createFileRegistry(set).getFile('team/owner.proto');
  if (found === undefined) throw new Error('the file is not in its registry');
  return found;
}

describe('an index of files', () => {
  const index = new SchemaIndex([file_understudy_v1_llm, fileWithExtension()]);

  test.each([
    ['a message', 'understudy.v1.ChatRequest', 'understudy/v1/llm.proto'],
    ['a field', 'understudy.v1.ChatRequest.messages', 'understudy/v1/llm.proto'],
    ['a service', 'understudy.v1.LlmService', 'understudy/v1/llm.proto'],
    ['a method', 'understudy.v1.LlmService.StreamChat', 'understudy/v1/llm.proto'],
    ['an enum', 'understudy.v1.Role', 'understudy/v1/chat.proto'],
    ['an enum value, beside its enum', 'understudy.v1.ROLE_USER', 'understudy/v1/chat.proto'],
    ['an enum value, by its enum', 'understudy.v1.Role.ROLE_USER', 'understudy/v1/chat.proto'],
    ['an extension', 'team.owner', 'team/owner.proto'],
    ['a nested message', 'google.protobuf.DescriptorProto.ExtensionRange', 'google/protobuf/descriptor.proto'],
  ])('knows where %s is defined', (_, symbol, file) => {
    expect(index.defining(symbol)?.proto.name).toBe(file);
  });

  test.each(['', 'understudy.v1', '.understudy.v1.ChatRequest', 'understudy.v1.Nothing', 'constructor', '__proto__'])(
    'knows no symbol %j',
    (symbol) => {
      expect(index.defining(symbol)).toBeUndefined();
    },
  );

  test('gives a file by its name, and behind it once each that it needs', () => {
    const file = index.named('understudy/v1/llm.proto');
    const names = file && index.encode(file).map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
    expect(names?.[0]).toBe('understudy/v1/llm.proto');
    expect(names).toEqual(expect.arrayContaining(['understudy/v1/chat.proto', 'google/protobuf/duration.proto']));
    expect(new Set(names).size).toBe(names?.length);
    expect(index.named('understudy/v1/llm')).toBeUndefined();
  });

  test('knows the extensions of a message by their numbers', () => {
    const extensions = index.extensionsOf('google.protobuf.MessageOptions');
    expect([...(extensions ?? [])].map(([number, { proto }]) => [number, proto.name])).toEqual([
      [50_001, 'team/owner.proto'],
    ]);
    expect(index.extensionsOf('understudy.v1.ChatRequest')).toBeUndefined();
  });
});
