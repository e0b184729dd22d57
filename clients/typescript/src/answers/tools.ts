import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ResponseFormatSchema, ToolSchema } from '../../gen/understudy/v1/chat_pb.js';

/** A JSON Schema: an object, or its text. */
export type Schema = string | Readonly<Record<string, unknown>>;

/** Makes a tool. `parameters` is the JSON Schema of its arguments; `strict` holds the provider to it, where it can. */
export function functionTool(
  name: string,
  description = '',
  parameters: Schema = '',
  strict = false,
): MessageInitShape<typeof ToolSchema> {
  return { kind: { case: 'function', value: { name, description, parametersJson: textOf(parameters), strict } } };
}

/**
 * Makes the form of an answer that is JSON of a schema, for `options.responseFormat`. `strict` passes over an answer that does
 * not hold to it; `repair` lets the model be asked once more.
 */
export function jsonSchema(
  name: string,
  schema: Schema,
  { strict = false, repair = false }: { readonly strict?: boolean; readonly repair?: boolean } = {},
): MessageInitShape<typeof ResponseFormatSchema> {
  return { format: { case: 'jsonSchema', value: { name, schemaJson: textOf(schema), strict, repair } } };
}

/** Makes the form of an answer that is any JSON object. */
export function jsonObject(): MessageInitShape<typeof ResponseFormatSchema> {
  return { format: { case: 'jsonObject', value: {} } };
}

function textOf(schema: Schema): string {
  return typeof schema === 'string' ? schema : JSON.stringify(schema);
}
