import { type Tool, type ToolChoice, ToolChoiceMode } from '../../../gen/understudy/v1/chat_pb.ts';
import { MAX_SCHEMA_BYTES } from '../../structured-output/json-schema.ts';
import { checkJsonObject } from '../../structured-output/json-text.ts';
import { isKnownEnumValue, TOOL_NAME, TOOL_NAME_RULE, type Report } from '../port/violations.ts';

/** Most tools; the least of the providers' limits, OpenAI's. */
const MAX_TOOLS = 128;

/** Longest description of a tool, in bytes (32 KiB). */
const MAX_DESCRIPTION_BYTES = 32 * 1024;

/** Checks `tools` and `tool_choice`. */
export function checkTools(tools: readonly Tool[], choice: ToolChoice | undefined, report: Report): void {
  if (tools.length === 0 && choice === undefined) return;
  if (tools.length > MAX_TOOLS) report('tools', `must be at most ${MAX_TOOLS}`);
  const names = new Set<string>();
  for (const [index, tool] of tools.slice(0, MAX_TOOLS).entries()) checkTool(tool, `tools[${index}]`, names, report);
  if (choice !== undefined) checkChoice(choice, tools, names, report);
}

function checkTool({ kind }: Tool, path: string, names: Set<string>, report: Report): void {
  if (kind.case === undefined) {
    report(path, 'must be a function');
    return;
  }
  const { name, description, parametersJson } = kind.value;
  if (!TOOL_NAME.test(name)) report(`${path}.function.name`, TOOL_NAME_RULE);
  else if (names.has(name)) report(`${path}.function.name`, 'must be unique');
  names.add(name);
  if (Buffer.byteLength(description) > MAX_DESCRIPTION_BYTES) {
    report(`${path}.function.description`, 'must be at most 32 KiB long');
  }
  if (parametersJson === '') return;
  const read = checkJsonObject(parametersJson, MAX_SCHEMA_BYTES);
  if ('problem' in read) report(`${path}.function.parameters_json`, read.problem);
  else if (read.object['type'] !== undefined && read.object['type'] !== 'object') {
    report(`${path}.function.parameters_json`, 'must be the schema of an object');
  }
}

function checkChoice(choice: ToolChoice, tools: readonly Tool[], names: ReadonlySet<string>, report: Report): void {
  if (!isKnownEnumValue(ToolChoiceMode, choice.mode)) report('tool_choice.mode', 'must be one of the modes');
  if (choice.mode === ToolChoiceMode.REQUIRED && tools.length === 0) report('tool_choice.mode', 'there are no tools');
  const seen = new Set<string>();
  for (const [index, name] of choice.toolNames.entries()) {
    const path = `tool_choice.tool_names[${index}]`;
    if (!names.has(name)) report(path, 'must be the name of one of the tools');
    else if (seen.has(name)) report(path, 'must be unique');
    seen.add(name);
  }
}
