import type { File, Image } from '../../../../gen/understudy/v1/chat_pb.ts';
import { base64 } from '../../shared/json/base64.ts';
import type { ReadPart, Turn } from '../../shared/conversation.ts';
import type { JsonRecord } from '../../shared/json/value.ts';

/** Begins what a tool returned where the tool failed, since the APIs have no field that says so. */
const FAILED = 'Error:';

/** Most parts that one request may have cached. Source: the prompt caching guide of OpenAI. */
const MAX_MARKS = 4;

/** The places of the parts after which the prompt shall be cached, see {@link ReadPart.place}. */
export type CacheMarks = ReadonlySet<string>;

/** Of a request of which nothing is to be cached. */
export const NO_MARKS: CacheMarks = new Set();

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
export function cacheMarks(turns: readonly Turn[], model: string): CacheMarks {
  if (!takesMarks(model)) return NO_MARKS;
  const marked: string[] = [];
  for (const part of turns.flatMap(({ parts }) => parts)) {
    if (part.part.case === 'toolCall' || part.part.case === 'reasoning') continue;
    if (part.part.case !== 'toolResult' && part.cacheBreakpoint) marked.push(part.place);
    const last = part.content.at(-1);
    for (const inner of part.content) {
      if (inner.cacheBreakpoint || (part.cacheBreakpoint && inner === last)) marked.push(inner.place);
    }
  }
  return marked.length === 0 ? NO_MARKS : new Set(marked.slice(-MAX_MARKS));
}

/** Whether a request asks a model that takes marks for any, be they sent or not: they move with the conversation. */
export function asksForMarks(turns: readonly Turn[], model: string): boolean {
  if (!takesMarks(model)) return false;
  return turns.some(({ parts }) => parts.some((part) => part.cacheBreakpoint || part.content.some(isMarked)));
}

function isMarked({ cacheBreakpoint }: ReadPart): boolean {
  return cacheBreakpoint;
}

function takesMarks(model: string): boolean {
  const version = /^(?:ft:)?gpt-(\d+)(?:\.(\d+))?/.exec(model);
  if (version === null) return false;
  const [major, minor] = [Number(version[1]), Number(version[2] ?? 0)];
  return major > 5 || (major === 5 && minor >= 6);
}

/** Returns the field that marks a part, where it shall be one. */
export function markOf(part: ReadPart, marks: CacheMarks): JsonRecord {
  return marks.has(part.place) ? { prompt_cache_breakpoint: { mode: 'explicit' } } : {};
}

/**
 * Writes content: one text without a mark as it is, anything else as parts.
 * @param write writes one part.
 */
export function contentOf(
  parts: readonly ReadPart[],
  marks: CacheMarks,
  write: (part: ReadPart) => JsonRecord,
): string | readonly JsonRecord[] {
  const [first] = parts;
  if (parts.length === 1 && first?.part.case === 'text' && !marks.has(first.place)) return first.part.value;
  return parts.map(write);
}

/**
 * Returns what a tool returned; where the tool failed, the word that says so begins it. A mark makes no difference to the words, since
 * marks move from turn to turn.
 */
export function resultParts({ part, content, place }: ReadPart): readonly ReadPart[] {
  if (part.case !== 'toolResult' || !part.value.isError) return content;
  const [first, ...others] = content;
  if (first?.part.case === 'text') {
    return [{ ...first, part: { case: 'text', value: `${FAILED} ${first.part.value}` } }, ...others];
  }
  const said = { case: 'text', value: FAILED } as const;
  return [{ part: said, state: undefined, cacheBreakpoint: false, content: [], place }, ...content];
}
