import type { ReadChoice, ReadFormat, ReadTool, ReadTools } from '../../shared/asked-tools.ts';
import { allowedTools } from '../../shared/asked-tools.ts';
import type { JsonRecord } from '../../shared/json/value.ts';

/**
 * Writes tools and their choice for Chat Completions. `choosesAmong` says whether the API knows `allowed_tools`, which keep
 * the prompt's cache; elsewhere only the tools that may be called are sent.
 */
export function chatToolFields(read: ReadTools, choosesAmong: boolean): JsonRecord {
  if (read.tools.length === 0) return {};
  const tools = choosesAmong ? read.tools : allowedTools(read);
  const choice = choosesAmong || isOneRequired(read.choice) ? read.choice : { ...read.choice, names: [] };
  return { tools: tools.map(chatTool), ...toolChoice(choice, chatReference, chatAllowed) };
}

/** Writes tools and their choice for the Responses API. `saysLoose`: whether a function says that it is not held to its schema. */
export function responsesToolFields({ tools, choice }: ReadTools, saysLoose: boolean): JsonRecord {
  if (tools.length === 0) return {};
  return {
    tools: tools.map((tool) => responsesTool(tool, saysLoose)),
    ...toolChoice(choice, responsesReference, responsesAllowed),
  };
}

/** Writes the form of an answer for Chat Completions. */
export function chatFormat(format: ReadFormat): JsonRecord {
  if (format.type === 'json_object') return format;
  const { type, ...schema } = format;
  return { type, json_schema: schema };
}

function chatTool({ name, description, parameters, strict }: ReadTool): JsonRecord {
  const described = description === '' ? { name } : { name, description };
  // Where it is not wanted it is left out, since not every server knows the field.
  return { type: 'function', function: { ...described, parameters, ...(strict ? { strict } : {}) } };
}

/** Here a function is held to its schema unless the field says otherwise. */
function responsesTool({ name, description, parameters, strict }: ReadTool, saysLoose: boolean): JsonRecord {
  const described = { type: 'function', name, ...(description === '' ? {} : { description }), parameters };
  return strict || saysLoose ? { ...described, strict } : described;
}

type Reference = (name: string) => JsonRecord;
type Allowed = (mode: string, tools: readonly JsonRecord[]) => JsonRecord;

const chatReference: Reference = (name) => ({ type: 'function', function: { name } });
const responsesReference: Reference = (name) => ({ type: 'function', name });
const chatAllowed: Allowed = (mode, tools) => ({ type: 'allowed_tools', allowed_tools: { mode, tools } });
const responsesAllowed: Allowed = (mode, tools) => ({ type: 'allowed_tools', mode, tools });

/** A free choice is what every API does by itself. */
function toolChoice(choice: ReadChoice, reference: Reference, allowed: Allowed): JsonRecord {
  const { mode, names } = choice;
  if (names.length === 0) return mode === 'auto' ? {} : { tool_choice: mode };
  if (isOneRequired(choice)) return { tool_choice: reference(names[0] ?? '') };
  return { tool_choice: allowed(mode, names.map(reference)) };
}

function isOneRequired({ mode, names }: ReadChoice): boolean {
  return mode === 'required' && names.length === 1;
}
