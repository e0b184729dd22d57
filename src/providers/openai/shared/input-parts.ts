import type { File, Image } from '../../../../gen/understudy/v1/chat_pb.ts';
import { base64 } from '../../shared/json/base64.ts';
import type { ReadPart, Turn } from '../../shared/conversation.ts';
import type { JsonRecord } from '../../shared/json/value.ts';

/** Begins what a tool returned where the tool failed, since the APIs have no field that says so. */
const FAILED = 'Error:';

/** Most parts that one request may have cached. Source: the prompt caching guide of OpenAI. */
const MAX_MARKS = 4;

/** Of a request of which nothing is to be cached. */
export const NO_MARKS: ReadonlySet<ReadPart> = new Set();

/** Returns the address of an image: its own, or one that holds its bytes. */
export function imageUrl({ source, mediaType }: Image): string {
  if (source.case === 'url') return source.value;
  return dataUrl(source.value ?? new Uint8Array(), mediaType);
}

/** Returns a file as the APIs have it; they need a name. */
export function fileData({ data, mediaType, filename }: File): { filename: string; file_data: string } {
  const kind = mediaType.split('/')[1] ?? '';
  return { filename: filename === '' ? `file.${kind}` : filename, file_data: dataUrl(data, mediaType) };
}

function dataUrl(bytes: Uint8Array, mediaType: string): string {
  return `data:${mediaType};base64,${base64(bytes)}`;
}

/**
 * Returns the parts after which the prompt shall be cached: the last four that ask for it, where the model takes such marks
 * (GPT-5.6 and later). A mark on the result of a tool is one on the last part of it; calls and reasoning cannot have one.
 */
export function cacheMarks(turns: readonly Turn[], model: string): ReadonlySet<ReadPart> {
  if (!takesMarks(model)) return NO_MARKS;
  const marked: ReadPart[] = [];
  for (const part of turns.flatMap(({ parts }) => parts)) {
    if (part.part.case === 'toolCall' || part.part.case === 'reasoning') continue;
    if (part.part.case !== 'toolResult' && part.cacheBreakpoint) marked.push(part);
    const last = part.content.at(-1);
    marked.push(...part.content.filter((inner) => inner.cacheBreakpoint || (part.cacheBreakpoint && inner === last)));
  }
  return marked.length === 0 ? NO_MARKS : new Set(marked.slice(-MAX_MARKS));
}

function takesMarks(model: string): boolean {
  const version = /^(?:ft:)?gpt-(\d+)(?:\.(\d+))?/.exec(model);
  if (version === null) return false;
  const [major, minor] = [Number(version[1]), Number(version[2] ?? 0)];
  return major > 5 || (major === 5 && minor >= 6);
}

/** Returns the field that marks a part, where it shall be one. */
export function markOf(part: ReadPart, marks: ReadonlySet<ReadPart>): JsonRecord {
  return marks.has(part) ? { prompt_cache_breakpoint: { mode: 'explicit' } } : {};
}

/**
 * Writes content: one text without a mark as it is, anything else as parts.
 * @param write writes one part.
 */
export function contentOf(
  parts: readonly ReadPart[],
  marks: ReadonlySet<ReadPart>,
  write: (part: ReadPart) => JsonRecord,
): string | readonly JsonRecord[] {
  const [first] = parts;
  if (parts.length === 1 && first?.part.case === 'text' && !marks.has(first)) return first.part.value;
  return parts.map(write);
}

/** Returns what a tool returned; where the tool failed, the word that says so begins it. */
export function resultParts({ part, content, place }: ReadPart, marks: ReadonlySet<ReadPart>): readonly ReadPart[] {
  if (part.case !== 'toolResult' || !part.value.isError) return content;
  const [first, ...others] = content;
  const [words, rest] =
    first?.part.case === 'text' && !marks.has(first) ? [`${FAILED} ${first.part.value}`, others] : [FAILED, content];
  const said = { case: 'text', value: words } as const;
  return [{ part: said, state: undefined, cacheBreakpoint: false, content: [], place }, ...rest];
}
