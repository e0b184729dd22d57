import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DescField } from '@bufbuild/protobuf';
import { create, ScalarType } from '@bufbuild/protobuf';
import fc from 'fast-check';

import type { FunctionToolSchema, MessageSchema, PartSchema } from '../../gen/understudy/v1/chat_pb.ts';
import { GenerationOptionsSchema, Role, ToolChoiceMode } from '../../gen/understudy/v1/chat_pb.ts';
import type { ChatRequest } from '../../gen/understudy/v1/llm_pb.ts';
import { ChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import { OPTION_RANGES } from '../../src/server/validation/option-ranges.ts';

type MessageInit = MessageInitShape<typeof MessageSchema>;
type PartInit = MessageInitShape<typeof PartSchema>;
type FunctionInit = MessageInitShape<typeof FunctionToolSchema>;
type Options = Omit<MessageInitShape<typeof GenerationOptionsSchema>, '$typeName'>;

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Texts of one character and more, of all scripts, with what JSON must escape. */
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((value) => `${value}.`);

const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);

const bytes = fc.uint8Array({ minLength: 1, maxLength: 24 });

const cacheBreakpoint = fc.constant(false);

const textPart: fc.Arbitrary<PartInit> = fc.record({
  part: fc.record({ case: fc.constant('text' as const), value: text }),
  cacheBreakpoint,
});

const imagePart: fc.Arbitrary<PartInit> = fc.oneof(
  bytes.map((data): PartInit => ({
    part: {
      case: 'image',
      value: { source: { case: 'data', value: Uint8Array.from([...PNG, ...data]) }, mediaType: 'image/png' },
    },
  })),
  fc.webUrl({ validSchemes: ['https'], withQueryParameters: true }).map((value): PartInit => ({
    part: { case: 'image', value: { source: { case: 'url', value } } },
  })),
);

const filePart: fc.Arbitrary<PartInit> = fc
  .record({
    data: bytes.map((data) => Uint8Array.from([...Buffer.from('%PDF-1.7\n'), ...data])),
    mediaType: fc.constantFrom('application/pdf', 'application/pdf', 'text/plain', 'text/csv'),
    filename: fc.oneof(
      fc.constant(''),
      name.map((stem) => `${stem}.pdf`),
    ),
  })
  .map((value): PartInit => ({ part: { case: 'file', value } }));

const reasoningPart: fc.Arbitrary<PartInit> = text.map((value): PartInit => ({
  part: { case: 'reasoning', value: { text: value } },
  providerState: { target: 'another', data: Uint8Array.from([1, 2, 3]) },
}));

/** Arguments of a call: an object with names, texts, numbers beyond those of JavaScript, and nesting. */
const argumentsJson = fc.oneof(
  fc.constant('{}'),
  fc.constant('{"id":12345678901234567890,"ratio":1.5}'),
  fc
    .dictionary(name, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(text, { maxLength: 2 })), {
      maxKeys: 3,
    })
    .map((value) => JSON.stringify(value)),
);

const parametersJson = fc.oneof(
  fc.constant(''),
  fc.dictionary(name, fc.constantFrom('string', 'integer', 'boolean'), { maxKeys: 3 }).map((types) =>
    JSON.stringify({
      type: 'object',
      properties: Object.fromEntries(Object.entries(types).map(([key, type]) => [key, { type, description: 'd' }])),
      required: Object.keys(types),
      additionalProperties: false,
    }),
  ),
);

const tools: fc.Arbitrary<FunctionInit[]> = fc.uniqueArray(
  fc.record({ name, description: fc.oneof(fc.constant(''), text), parametersJson, strict: fc.boolean() }),
  { maxLength: 3, selector: ({ name: own }) => own },
);

const userParts = fc.array(
  fc.oneof({ weight: 4, arbitrary: textPart }, { weight: 1, arbitrary: imagePart }, { weight: 1, arbitrary: filePart }),
  { minLength: 1, maxLength: 3 },
);

const resultParts = fc.array(fc.oneof({ weight: 5, arbitrary: textPart }, { weight: 1, arbitrary: imagePart }), {
  maxLength: 2,
});

interface Step {
  readonly user: PartInit[];
  readonly said: PartInit[];
  readonly calls: {
    readonly which: number;
    readonly argumentsJson: string;
    readonly result: PartInit[];
    readonly isError: boolean;
  }[];
}

const step: fc.Arbitrary<Step> = fc.record({
  user: userParts,
  said: fc.array(fc.oneof({ weight: 3, arbitrary: textPart }, { weight: 1, arbitrary: reasoningPart }), {
    maxLength: 2,
  }),
  calls: fc.array(fc.record({ which: fc.nat(2), argumentsJson, result: resultParts, isError: fc.boolean() }), {
    maxLength: 2,
  }),
});

const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 });

const jsonSchema = fc.record({ name, strict: fc.boolean() }).map(
  (value) =>
    ({
      format: {
        case: 'jsonSchema',
        value: {
          ...value,
          schemaJson:
            '{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}',
        },
      },
    }) as const,
);

/** Options of which not every value of their type is valid, or that have parts. */
const OWN_VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  temperature: fc.constantFrom(0, 0.25, 1),
  topP: fc.constantFrom(0.5, 1),
  maxTokens: fc.integer({ min: 1, max: 100_000 }),
  stop: fc.array(text, { maxLength: 5 }),
  seed: fc.bigInt(0n, 2n ** 40n),
  presencePenalty: fc.constantFrom(-2, 0.5),
  frequencyPenalty: fc.constantFrom(-0.5, 2),
  endUser: name,
  responseFormat: fc.oneof(
    { weight: 4, arbitrary: fc.constant({ format: { case: 'text', value: {} } } as const) },
    { weight: 1, arbitrary: fc.constant({ format: { case: 'jsonObject', value: {} } } as const) },
    { weight: 1, arbitrary: jsonSchema },
  ),
  // What is laid over a body is the caller's own affair.
  providerOptions: fc.constant({}),
};

/** Every option of the contract: one that is added there is drawn here, or has to be given values above. */
const options: fc.Arbitrary<Options> = fc.record(
  Object.fromEntries(
    GenerationOptionsSchema.fields.map((field) => [field.localName, OWN_VALUES[field.localName] ?? valuesOf(field)]),
  ),
  { requiredKeys: [] },
);

function valuesOf({ name: field, localName, scalar, enum: words }: DescField): fc.Arbitrary<unknown> {
  if (words !== undefined) return fc.constantFrom(...words.values.map(({ number }) => number));
  const range = Object.entries(OPTION_RANGES).find(([option]) => option === localName)?.[1];
  const { least, above = 0, most } = typeof range === 'object' ? range : {};
  const [low, high] = [least ?? above, most ?? 1_000];
  const values: ReadonlyMap<ScalarType | undefined, fc.Arbitrary<unknown>> = new Map<
    ScalarType | undefined,
    fc.Arbitrary<unknown>
  >([
    [ScalarType.BOOL, fc.boolean()],
    [ScalarType.STRING, name],
    [ScalarType.DOUBLE, fc.constantFrom(0.125, 0.625, 1).map((part) => low + (high - low) * part)],
    [ScalarType.INT32, fc.integer({ min: least ?? above + 1, max: high })],
  ]);
  const drawn = values.get(scalar);
  if (drawn === undefined) throw new Error(`OWN_VALUES in test/support/chat-arbitraries.ts lacks the option ${field}.`);
  return drawn;
}

/** Ids of calls as providers of all kinds make them, or might. */
function idOf(number: number): string {
  const forms = [`call_${number}`, `functions.f:${number}`, `abcDEF12${number}`, `${'x'.repeat(100)}${number}`];
  return forms[number % forms.length] ?? '';
}

/** Whole requests that are valid whatever they ask for: every kind of part, tool, format and option. */
export const chatRequests: fc.Arbitrary<ChatRequest> = chatRequestsOf(2);

/** The same with at most so many answers of the assistant in their conversations. */
export function chatRequestsOf(answers: number): fc.Arbitrary<ChatRequest> {
  return drawnRequests(answers).map(requestOf);
}

type Drawn = ReturnType<typeof drawnRequests> extends fc.Arbitrary<infer Value> ? Value : never;

function drawnRequests(answers: number) {
  return fc.record({
    system: some(fc.array(textPart, { minLength: 1, maxLength: 2 })),
    steps: fc.array(step, { maxLength: answers }),
    last: userParts,
    endsWithResults: fc.boolean(),
    drawnTools: tools,
    hasTools: fc.boolean(),
    mode: fc.constantFrom(
      ToolChoiceMode.UNSPECIFIED,
      ToolChoiceMode.AUTO,
      ToolChoiceMode.NONE,
      ToolChoiceMode.REQUIRED,
    ),
    narrows: fc.boolean(),
    options: some(options),
    mentionsJson: fc.boolean(),
    breakpoints: fc.array(fc.nat(3), { maxLength: 3 }),
  });
}

function requestOf({ drawnTools, hasTools, ...drawn }: Drawn): ChatRequest {
  const messages: MessageInit[] = [];
  const ownTools = hasTools ? drawnTools : [];
  if (drawn.system !== undefined) messages.push({ role: Role.SYSTEM, content: drawn.system });
  let number = 0;
  for (const { user, said, calls } of drawn.steps) {
    messages.push({ role: Role.USER, content: user });
    const results: PartInit[] = [];
    const content = [...said];
    for (const { which, argumentsJson: json, result, isError } of ownTools.length === 0 ? [] : calls) {
      const called = ownTools[which % ownTools.length];
      const id = idOf((number += 1));
      content.push({ part: { case: 'toolCall', value: { id, name: called?.name ?? '', argumentsJson: json } } });
      results.push({ part: { case: 'toolResult', value: { toolCallId: id, content: result, isError } } });
    }
    if (content.length > 0) messages.push({ role: Role.ASSISTANT, content });
    if (results.length > 0) messages.push({ role: Role.TOOL, content: results });
  }
  const endsWithResults = drawn.endsWithResults && messages.at(-1)?.role === Role.TOOL;
  if (!endsWithResults) messages.push({ role: Role.USER, content: drawn.last });
  if (drawn.mentionsJson) {
    messages.unshift({ role: Role.USER, content: [{ part: { case: 'text', value: 'Answer in JSON.' } }] });
  }
  const cannotCall = ownTools.length === 0 && drawn.mode === ToolChoiceMode.REQUIRED;
  const request = create(ChatRequestSchema, {
    messages,
    tools: ownTools.map((value) => ({ kind: { case: 'function' as const, value } })),
    toolChoice: {
      mode: cannotCall ? ToolChoiceMode.AUTO : drawn.mode,
      toolNames: drawn.narrows ? ownTools.slice(0, 1).map(({ name: own = '' }) => own) : [],
    },
  });
  if (drawn.options !== undefined) request.options = create(GenerationOptionsSchema, drawn.options);
  for (const index of drawn.breakpoints) {
    const part = request.messages[index]?.content[0];
    if (part !== undefined) part.cacheBreakpoint = true;
  }
  return request;
}
