import { isDeepStrictEqual } from 'node:util';

import { create, ScalarType } from '@bufbuild/protobuf';
import type { DescField } from '@bufbuild/protobuf';

import { GenerationOptionsSchema, Role } from '../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../gen/understudy/v1/llm_pb.ts';
import { WarningCode } from '../gen/understudy/v1/routing_pb.ts';
import type { WireRequest } from '../src/providers/port/adapter.ts';
import type { JsonRecord } from '../src/providers/shared/json/value.ts';
import { asRecord } from '../src/providers/shared/json/value.ts';
import { at, EVERY_ADAPTER } from '../test/support/every-adapter.ts';
import type { ProviderApi } from '../test/support/every-adapter.ts';
import { tellingModels } from '../test/support/telling-models.ts';

// Asks every adapter what it makes of every option, and writes docs/providers/options.md to standard output.

/** A value that an option is tried with. */
interface Value {
  /** Which of several it is. */
  readonly name?: string;
  readonly value: unknown;
  /** How JSON has it, where it is sent as it is. */
  readonly plain?: unknown;
}

const MESSAGE = [{ role: Role.USER, content: [{ part: { case: 'text' as const, value: 'Answer in JSON.' } }] }];
const TOOLS = [{ kind: { case: 'function' as const, value: { name: 'look' } } }];
const DATED = 'https://example.openai.azure.com/openai?api-version=2024-10-21';

const INTRODUCTION = `# What becomes of options

Every option of the contract at every provider, tried out. Written by \`npm run generate\` from what the adapters do: do not edit it
here. The pages beside it say what a table cannot.

A name is the field of the request body that the option is sent as, with its value where that is not the one of the contract. *Left out*
and *adjusted* come with a warning, or refuse the target under \`routing.strict\`; *refused* means that the target is passed over; a
dash, that nothing need be sent. Models that are treated alike share a column, and \`llama-4\`, \`my-deployment\` and \`qwen3\` stand for all of
which the gateway knows nothing. \`parallel_tool_calls\` means nothing without tools and is then left out everywhere. The fields of
\`provider_options\` under the name of a provider are laid over the body of its requests.
`;

const APIS: readonly ProviderApi[] = EVERY_ADAPTER.flatMap((one) => {
  if (one.provider === 'mock') return [];
  return one.provider === 'azure-openai' ? [one, at(one.provider, one.api, DATED)] : [one];
});

const SCHEMA = { name: 'answer', schemaJson: '{"type":"object","properties":{}}' };

/** Values of the options that are messages. */
const MESSAGES: ReadonlyMap<string, readonly Value[]> = new Map([
  [
    'response_format',
    [
      { name: 'json_object', value: { format: { case: 'jsonObject', value: {} } } },
      { name: 'json_schema', value: { format: { case: 'jsonSchema', value: SCHEMA } } },
      { name: 'json_schema (strict)', value: { format: { case: 'jsonSchema', value: { ...SCHEMA, strict: true } } } },
    ],
  ],
]);

const SCALARS: ReadonlyMap<ScalarType | undefined, unknown> = new Map<ScalarType | undefined, unknown>([
  [ScalarType.BOOL, true],
  [ScalarType.STRING, 'somebody'],
  [ScalarType.INT64, 7n],
  [ScalarType.DOUBLE, 0.5],
]);

const OPTIONS = GenerationOptionsSchema.fields.filter(({ name }) => name !== 'provider_options');

process.stdout.write([INTRODUCTION, ...APIS.map(section)].join('\n'));

/** Returns the values that an option is tried with. */
function valuesOf(option: DescField): readonly Value[] {
  if (option.enum !== undefined) {
    return option.enum.values.slice(1).map(({ localName, number }) => ({
      name: localName,
      value: number,
      plain: localName.toLowerCase(),
    }));
  }
  if (option.fieldKind === 'list') return [{ value: ['one', 'two', 'three', 'four', 'five'] }];
  if (option.fieldKind === 'message') return MESSAGES.get(option.name) ?? [{ value: {} }];
  const value = SCALARS.get(option.scalar) ?? 100;
  if (typeof value === 'boolean') return [true, false].map((one) => ({ name: String(one), value: one, plain: one }));
  return [{ value, plain: typeof value === 'bigint' ? Number(value) : value }];
}

/** One API: a row for each option, or for each of its values, and a column for models that are treated alike. */
function section(api: ProviderApi): string {
  const models = tellingModels(api.provider).map((model) => ({ model, rows: rowsOf(api, model) }));
  const columns = [...Map.groupBy(models, ({ rows }) => JSON.stringify(rows)).values()];
  const heads = columns.map((alike) => alike.map(({ model }) => `\`${model}\``).join(', '));
  const cells = columns.map(([first]) => first?.rows ?? []);
  const rows = (cells[0] ?? []).map(([option, name], index) => ({
    option,
    name,
    cells: cells.map((column) => column[index]?.[2] ?? ''),
  }));
  const lines = joined(rows).map(({ label, cells }) => [label].concat(cells));
  const table = [['option', ...heads], ['---', ...heads.map(() => '---')], ...lines];
  const dated = api.baseUrl === '' ? '' : ', dated endpoints';
  return `## ${api.provider}, \`${api.path}\`${dated}\n\n${table.map((line) => `| ${line.join(' | ')} |\n`).join('')}`;
}

interface Row {
  readonly option: string;
  readonly name: string | undefined;
  readonly cells: readonly string[];
}

/** Joins the values of an option of which the same becomes; where that is all of them, they are not named. */
function joined(rows: readonly Row[]): readonly { readonly label: string; readonly cells: readonly string[] }[] {
  return [...Map.groupBy(rows, ({ option }) => option)].flatMap(([option, values]) => {
    const alike = [...Map.groupBy(values, ({ cells }) => JSON.stringify(cells)).values()];
    return alike.map((same) => ({
      label: alike.length === 1 ? `\`${option}\`` : `\`${option}\`: ${same.map(({ name }) => name).join(', ')}`,
      cells: same[0]?.cells ?? [],
    }));
  });
}

type Tried = readonly [option: string, value: string | undefined, outcome: string];

function rowsOf(api: ProviderApi, model: string): readonly Tried[] {
  return OPTIONS.flatMap((option) =>
    valuesOf(option).map((value): Tried => [option.name, value.name, outcomeOf(api, model, option, value)]),
  );
}

/** Says what becomes of a value: what differs from the same request without it, and what is told. */
function outcomeOf(
  { provider, adapter }: ProviderApi,
  model: string,
  option: DescField,
  { value, plain }: Value,
): string {
  const target = { name: 'main', provider, model, stream: true };
  const tools = option.name === 'parallel_tool_calls' ? TOOLS : [];
  const [without, asked] = [{}, { [option.localName]: value }].map((options) =>
    adapter.request(create(ChatRequestSchema, { messages: MESSAGE, tools, options }), target),
  );
  if (asked === undefined || without === undefined || 'class' in asked || 'class' in without) return 'refused';
  const sent = changes(without.body, asked.body, plain ?? value);
  const codes = new Set(asked.warnings.map(({ code }) => code));
  const told = [
    ...(codes.has(WarningCode.PARAMETER_DROPPED) ? ['left out'] : sent),
    ...(codes.has(WarningCode.PARAMETER_ADJUSTED) ? ['adjusted'] : []),
    ...lookedAfter(asked, Array.isArray(value) ? value.length : 0),
  ];
  return told.length === 0 ? '–' : told.join(', ');
}

/** What the gateway does itself. */
function lookedAfter({ localStop, localSchema }: WireRequest, texts: number): readonly string[] {
  if (localSchema === true) return ['checked here'];
  if (localStop.length === 0) return [];
  return [
    localStop.length === texts ? 'looked for here' : `the first ${texts - localStop.length}, others looked for here`,
  ];
}

/** Names the fields that were added or changed, two levels deep, with values where these are words of the provider. */
function changes(before: unknown, after: unknown, plain: unknown, path = ''): readonly string[] {
  if (isDeepStrictEqual(before, after)) return [];
  const fields = asRecord(after);
  if (fields !== undefined && (path === '' || (!path.includes('.') && !isDeep(fields)))) {
    const old = asRecord(before) ?? {};
    return Object.keys(fields).flatMap((name) =>
      changes(old[name], fields[name], plain, path === '' ? name : `${path}.${name}`),
    );
  }
  if (typeof after === 'object' || after === plain) return [`\`${path}\``];
  return [`\`${path}: ${JSON.stringify(after).replaceAll('"', '')}\``];
}

/** Whether an object is one thing of several parts, and no mere place for others. */
function isDeep(fields: JsonRecord): boolean {
  const values = Object.values(fields);
  return values.length > 1 && values.some((value) => asRecord(value) !== undefined);
}
