import { type File, type Image, type Message, type Part, Role } from '../../gen/understudy/v1/chat_pb.ts';
import { isKnownEnumValue, type Report } from './violations.ts';

/** Largest image, in bytes (10 MiB). */
const MAX_IMAGE_BYTES = 10 * 1024 * 1024;

/** Longest URL of an image, in bytes (8 KiB). */
const MAX_URL_BYTES = 8 * 1024;

const IMAGE_TYPES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+$/;

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

/** Names of the parts in the proto file. */
const PROTO_NAMES = {
  text: 'text',
  image: 'image',
  file: 'file',
  reasoning: 'reasoning',
  toolCall: 'tool_call',
  toolResult: 'tool_result',
} as const satisfies Record<PartCase, string>;

/** What is known of the conversation so far; the sets are made when the first tool is called. */
interface Seen {
  /** Ids of the tool calls. */
  called?: Set<string>;
  /** Ids of the tool calls that have a result. */
  answered?: Set<string>;
}

/** Checks a conversation: order of the roles, which parts they have, tool results and their calls, attachments. */
export function checkMessages(messages: readonly Message[], report: Report): void {
  const last = messages.at(-1);
  if (last === undefined) {
    report('messages', 'must have at least one message');
    return;
  }
  const seen: Seen = {};
  let begun = false;
  for (const [index, message] of messages.entries()) {
    const path = `messages[${index}]`;
    const isSystem = message.role === Role.SYSTEM;
    if (!begun && !isSystem && message.role !== Role.USER && isSpeaker(message.role)) {
      report(`${path}.role`, 'the first message after those of the system must be of the user');
    }
    begun ||= !isSystem;
    checkMessage(message, path, seen, report);
  }
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
  report(`${path}.${PROTO_NAMES[kind]}`, 'this kind of part is not allowed here');
  return false;
}

function checkPart(part: Part, path: string, role: KnownRole | undefined, seen: Seen, report: Report): void {
  switch (part.part.case) {
    case 'text':
      if (role === 'USER' && part.part.value === '') report(`${path}.text`, 'must not be empty');
      break;
    case 'image':
      checkImage(part.part.value, `${path}.image`, report);
      break;
    case 'file':
      checkFile(part.part.value, `${path}.file`, report);
      break;
    case 'toolCall': {
      const { id, name } = part.part.value;
      if (id === '') report(`${path}.tool_call.id`, 'must not be empty');
      else if (seen.called?.has(id) === true) report(`${path}.tool_call.id`, 'must be unique in the conversation');
      if (name === '') report(`${path}.tool_call.name`, 'must not be empty');
      seen.called ??= new Set();
      seen.called.add(id);
      break;
    }
    case 'toolResult': {
      const { toolCallId: id, content } = part.part.value;
      const idPath = `${path}.tool_result.tool_call_id`;
      if (seen.called?.has(id) !== true) report(idPath, 'must be the id of an earlier tool call');
      else if (seen.answered?.has(id) === true) report(idPath, 'this tool call has a result already');
      seen.answered ??= new Set();
      seen.answered.add(id);
      checkToolResult(content, `${path}.tool_result`, report);
      break;
    }
    case 'reasoning':
    case undefined:
      break;
  }
}

function checkToolResult(content: readonly Part[], path: string, report: Report): void {
  for (const [index, part] of content.entries()) {
    const partPath = `${path}.content[${index}]`;
    if (!checkKind(part, PARTS_OF_TOOL_RESULT, partPath, report)) continue;
    if (part.part.case === 'image') checkImage(part.part.value, `${partPath}.image`, report);
    if (part.part.case === 'file') checkFile(part.part.value, `${partPath}.file`, report);
  }
}

function checkImage(image: Image, path: string, report: Report): void {
  if (image.source.case === undefined) {
    report(path, 'must have a url or data');
  } else if (image.source.case === 'url') {
    const url = image.source.value;
    if (Buffer.byteLength(url) > MAX_URL_BYTES) report(`${path}.url`, 'must be at most 8 KiB long');
    else if (!URL.canParse(url) || new URL(url).protocol !== 'https:') report(`${path}.url`, 'must be an https URL');
  } else {
    const size = image.source.value.byteLength;
    if (size === 0) report(`${path}.data`, 'must not be empty');
    if (size > MAX_IMAGE_BYTES) report(`${path}.data`, 'must be at most 10 MiB');
    if (!IMAGE_TYPES.has(image.mediaType)) {
      report(`${path}.media_type`, 'must be image/png, image/jpeg, image/gif or image/webp');
    }
  }
}

function checkFile(file: File, path: string, report: Report): void {
  if (file.data.byteLength === 0) report(`${path}.data`, 'must not be empty');
  if (!MEDIA_TYPE.test(file.mediaType)) report(`${path}.media_type`, 'must be a media type, such as application/pdf');
}
