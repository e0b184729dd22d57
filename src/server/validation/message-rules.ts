import { type Message, type Part, PartSchema, Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { ToolTurns } from './tool-turns.ts';
import { type Attached, checkFile, checkImage } from './attachments.ts';
import { isKnownEnumValue, type Report } from '../port/violations.ts';

/** Most cache breakpoints of a conversation; Anthropic's limit. */
const MAX_CACHE_BREAKPOINTS = 4;

type KnownRole = Exclude<keyof typeof Role, 'UNSPECIFIED'>;
type PartCase = NonNullable<Part['part']['case']>;

/** Which parts a message of a role may have. */
const PARTS_OF_ROLE = {
  SYSTEM: ['text'],
  USER: ['text', 'image', 'file'],
  ASSISTANT: ['text', 'reasoning', 'toolCall'],
  TOOL: ['toolResult'],
} as const satisfies Record<KnownRole, readonly PartCase[]>;

/** Which parts a tool result may have. */
const PARTS_OF_TOOL_RESULT: readonly PartCase[] = ['text', 'image', 'file'];

/** What is known of the conversation so far. */
interface Seen {
  /** Made when the first tool is called or answers. */
  turns?: ToolTurns;
  readonly attached: Attached;
  cacheBreakpoints: number;
}

/** Checks a conversation: order of the roles, which parts they have, tool results and their calls, attachments. */
export function checkMessages(messages: readonly Message[], report: Report): void {
  const last = messages.at(-1);
  if (last === undefined) {
    report('messages', 'must have at least one message');
    return;
  }
  const seen: Seen = { attached: { count: 0, bytes: 0 }, cacheBreakpoints: 0 };
  let begun = false;
  for (const [index, message] of messages.entries()) {
    const path = `messages[${index}]`;
    const isSystem = message.role === Role.SYSTEM;
    if (!begun && !isSystem && message.role !== Role.USER && isSpeaker(message.role)) {
      report(`${path}.role`, 'the first message after those of the system must be of the user');
    }
    begun ||= !isSystem;
    if (message.role !== Role.TOOL) seen.turns?.end();
    checkMessage(message, path, seen, report);
  }
  seen.turns?.end();
  if (isSpeaker(last.role) && last.role !== Role.USER && last.role !== Role.TOOL) {
    report(`messages[${messages.length - 1}].role`, 'the last message must be of the user or of a tool');
  }
}

function isSpeaker(role: number): boolean {
  return role !== Role.UNSPECIFIED && isKnownEnumValue(Role, role);
}

function checkMessage(message: Message, path: string, seen: Seen, report: Report): void {
  const role = roleName(message.role);
  if (role === undefined) report(`${path}.role`, 'must be one of the roles');
  if (message.content.length === 0) report(`${path}.content`, 'must have at least one part');
  for (const [index, part] of message.content.entries()) {
    const partPath = `${path}.content[${index}]`;
    countBreakpoint(part, partPath, seen, report);
    if (checkKind(part, role === undefined ? undefined : PARTS_OF_ROLE[role], partPath, report)) {
      checkPart(part, partPath, role, seen, report);
    }
  }
  if (role === 'SYSTEM' && message.content.length > 0 && message.content.every(isEmptyText)) {
    report(`${path}.content`, 'must not be empty');
  }
}

function isEmptyText({ part }: Part): boolean {
  return part.case === 'text' && part.value === '';
}

function roleName(role: Role): KnownRole | undefined {
  if (role === Role.SYSTEM) return 'SYSTEM';
  if (role === Role.USER) return 'USER';
  if (role === Role.ASSISTANT) return 'ASSISTANT';
  return role === Role.TOOL ? 'TOOL' : undefined;
}

/** Says whether the part is set and allowed where it stands; `allowed` undefined allows all. */
function checkKind(part: Part, allowed: readonly PartCase[] | undefined, path: string, report: Report): boolean {
  const kind = part.part.case;
  if (kind === undefined) {
    report(path, 'must be a text, image, file, reasoning, tool call or tool result');
    return false;
  }
  if (allowed === undefined || allowed.includes(kind)) return true;
  report(`${path}.${PartSchema.field[kind].name}`, 'this kind of part is not allowed here');
  return false;
}

function checkPart(part: Part, path: string, role: KnownRole | undefined, seen: Seen, report: Report): void {
  switch (part.part.case) {
    case 'text':
      if (role === 'USER' && part.part.value === '') report(`${path}.text`, 'must not be empty');
      break;
    case 'image':
      checkImage(part.part.value, `${path}.image`, seen.attached, report);
      break;
    case 'file':
      checkFile(part.part.value, `${path}.file`, seen.attached, report);
      break;
    case 'toolCall':
      seen.turns ??= new ToolTurns(report);
      seen.turns.call(part.part.value, `${path}.tool_call`);
      break;
    case 'toolResult':
      seen.turns ??= new ToolTurns(report);
      seen.turns.result(part.part.value, `${path}.tool_result`);
      checkToolResult(part.part.value.content, `${path}.tool_result`, seen, report);
      break;
    case 'reasoning':
    case undefined:
      break;
  }
}

/** Counts the breakpoints; the one that is too many is told, and those after it are not. */
function countBreakpoint(part: Part, path: string, seen: Seen, report: Report): void {
  if (!part.cacheBreakpoint) return;
  seen.cacheBreakpoints += 1;
  if (seen.cacheBreakpoints === MAX_CACHE_BREAKPOINTS + 1) {
    report(`${path}.cache_breakpoint`, `there may be at most ${MAX_CACHE_BREAKPOINTS}`);
  }
}

function checkToolResult(content: readonly Part[], path: string, seen: Seen, report: Report): void {
  for (const [index, part] of content.entries()) {
    const partPath = `${path}.content[${index}]`;
    countBreakpoint(part, partPath, seen, report);
    if (!checkKind(part, PARTS_OF_TOOL_RESULT, partPath, report)) continue;
    if (part.part.case === 'image') checkImage(part.part.value, `${partPath}.image`, seen.attached, report);
    if (part.part.case === 'file') checkFile(part.part.value, `${partPath}.file`, seen.attached, report);
  }
}
