import { buffer } from 'node:stream/consumers';

import { createFileRegistry, fromBinary, ScalarType } from '@bufbuild/protobuf';
import type {
  DescEnum,
  DescEnumValue,
  DescField,
  DescFile,
  DescMessage,
  DescMethod,
  DescOneof,
  DescService,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { getComments } from '@bufbuild/protoplugin';

// Reads the descriptors of proto/ with their comments from standard input, and writes docs/contract.md to standard output.

const PACKAGE = 'understudy.v1';
const WELL_KNOWN = 'https://protobuf.dev/reference/protobuf/google.protobuf/';

type Declared = DescService | DescMessage | DescEnum;

/** The files as one reads them; one that is not named here comes first, so that its author sees it. */
const ORDER = ['llm', 'chat', 'routing', 'usage', 'health', 'error', 'usage_service', 'admin'].map(
  (name) => `understudy/v1/${name}`,
);

const INTRODUCTION = `# The contract

Every service, message and enum of [\`proto/understudy/v1\`](../proto/understudy/v1), package \`${PACKAGE}\`. Written by
\`npm run generate\` from the comments there: do not edit it here.

In JSON the names are in lowerCamelCase (\`tokensUsed\`), 64-bit integers are strings, bytes are base64, and enum values are their names.
A field marked \`optional\` tells absent from zero; of a group marked *one of*, at most one field is set.
`;

const page = [INTRODUCTION, ...filesOf(await buffer(process.stdin)).map(fileText)].join('\n');
process.stdout.write(page);

function filesOf(bytes: Uint8Array): readonly DescFile[] {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  return [...registry.files]
    .filter((file) => file.proto.package === PACKAGE)
    .sort((one, other) => ORDER.indexOf(one.name) - ORDER.indexOf(other.name));
}

function fileText(file: DescFile): string {
  const declared = [...file.services, ...file.messages, ...file.enums].sort(
    (one, other) => lineOf(one) - lineOf(other),
  );
  return [`## ${file.name.replace(/^.*\//, '')}.proto\n`, ...declared.flatMap(sections)].join('\n');
}

/** The line on which a declaration begins. */
function lineOf(desc: Declared): number {
  const path = getComments(desc).sourcePath.join();
  return desc.file.proto.sourceCodeInfo?.location.find((location) => location.path.join() === path)?.span[0] ?? 0;
}

/** What is declared, and what is declared in it. */
function sections(desc: Declared): readonly string[] {
  switch (desc.kind) {
    case 'service':
      return [section(desc, ['rpc', 'request', 'response', 'meaning'], desc.methods.map(methodCells))];
    case 'enum':
      return [section(desc, ['no.', 'value', 'meaning'], desc.values.map(valueCells))];
    case 'message': {
      const nested = [...desc.nestedMessages, ...desc.nestedEnums].flatMap(sections);
      return [section(desc, ['no.', 'field', 'type', 'meaning'], desc.members.flatMap(memberRows)), ...nested];
    }
  }
}

function methodCells(method: DescMethod): readonly string[] {
  const isStream = method.methodKind === 'server_streaming';
  return [
    `\`${method.name}\``,
    link(method.input),
    isStream ? `stream of ${link(method.output)}` : link(method.output),
    commentOf(method),
  ];
}

function memberRows(member: DescField | DescOneof): readonly (readonly string[])[] {
  if (member.kind === 'field') return [fieldCells(member)];
  const fields = member.fields.map((field) => fieldCells(field, '↳ '));
  return [['', `one of \`${member.name}\``, '', commentOf(member)], ...fields];
}

function fieldCells(field: DescField, mark = ''): readonly string[] {
  return [String(field.number), `${mark}\`${field.name}\``, typeText(field), commentOf(field)];
}

function valueCells(value: DescEnumValue): readonly string[] {
  return [String(value.number), `\`${value.name}\``, commentOf(value)];
}

function typeText(field: DescField): string {
  const type = singleText(field.message ?? field.enum ?? field.scalar);
  if (field.fieldKind === 'list') return `repeated ${type}`;
  if (field.fieldKind === 'map') return `map of \`${scalarName(field.mapKey)}\` to ${type}`;
  return field.proto.proto3Optional ? `optional ${type}` : type;
}

function singleText(type: DescMessage | DescEnum | ScalarType): string {
  return typeof type === 'object' ? link(type) : `\`${scalarName(type)}\``;
}

function scalarName(type: ScalarType): string {
  return ScalarType[type].toLowerCase();
}

/** A type as a link to its section, or to the page of Protocol Buffers. */
function link(type: DescMessage | DescEnum): string {
  const name = nameOf(type);
  const anchor = name.replaceAll('.', '').toLowerCase();
  return `[${name}](${type.file.proto.package === PACKAGE ? '' : WELL_KNOWN}#${anchor})`;
}

/** The name without the package: `StreamChatResponse.Started`. */
function nameOf({ typeName, file }: Declared): string {
  return typeName.slice(file.proto.package.length + 1);
}

function section(desc: Declared, titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles, titles.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`);
  const table = rows.length === 0 ? '' : `\n${lines.join('')}`;
  return `### ${nameOf(desc)}\n\n${commentOf(desc, '\n\n')}\n${table}`;
}

/** The comment before a declaration: its lines in one, its paragraphs apart. */
function commentOf(desc: Declared | DescField | DescOneof | DescMethod | DescEnumValue, between = ' '): string {
  const paragraphs = (getComments(desc).leading ?? '').split(/\n\s*\n/);
  return paragraphs
    .map((lines) =>
      lines
        .trim()
        .replaceAll(/\s*\n\s*/g, ' ')
        .replaceAll('|', '\\|'),
    )
    .join(between);
}
