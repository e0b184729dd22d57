import type { Failure } from '../../core/failure.ts';
import type { AdapterWarning } from '../port/adapter.ts';
import type { ReadPart, Turn } from '../shared/conversation.ts';
import { unsupported } from '../shared/provider-failure.ts';
import { parameterAdjusted } from '../shared/warnings.ts';

/**
 * Most bytes of attachments in a request: in base64 they stay below the 32 MB that a body may have. Source:
 * https://platform.claude.com/docs/en/api/errors
 */
const MAX_ATTACHED_BYTES = 23_000_000;

/** Most marks of a request. Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching */
const MAX_BREAKPOINTS = 4;

/** Returns the parts of a conversation in order, those within tool results before the result itself. */
export function allParts(turns: readonly Turn[]): readonly ReadPart[] {
  return turns.flatMap(({ parts }) => parts.flatMap((part) => [...part.content, part]));
}

/** Says which attachment is one too many, if any is. */
export function tooManyBytes(parts: readonly ReadPart[]): Failure | undefined {
  let sum = 0;
  for (const { part, place } of parts) {
    sum += bytesOf(part);
    if (sum > MAX_ATTACHED_BYTES) {
      return unsupported(
        `${place}.${part.case}`,
        `All attachments together must be at most ${MAX_ATTACHED_BYTES} bytes.`,
      );
    }
  }
  return undefined;
}

function bytesOf(part: ReadPart['part']): number {
  if (part.case === 'file') return part.value.data.byteLength;
  return part.case === 'image' && part.value.source.case === 'data' ? part.value.source.value.byteLength : 0;
}

interface Breakpoints {
  readonly kept: ReadonlySet<ReadPart>;
  readonly warnings: readonly AdapterWarning[];
}

/** Of a server that takes none. */
export const NO_BREAKPOINTS: Breakpoints = { kept: new Set(), warnings: [] };

/**
 * Chooses the cache breakpoints that are sent. Of more than four the first counts, which ends what conversations share, and
 * the last three, up to which the next turn reads. Reasoning cannot be marked.
 *
 * @param last a part to mark as well where that is not one too many; undefined for none
 */
export function chooseBreakpoints(parts: readonly ReadPart[], last: ReadPart | undefined): Breakpoints {
  const marked = parts.filter(({ cacheBreakpoint, part }) => cacheBreakpoint && part.case !== 'reasoning');
  const isKept = (index: number): boolean => index === 0 || index > marked.length - MAX_BREAKPOINTS;
  const left = marked.find((_, index) => !isKept(index));
  const kept = new Set(marked.filter((_, index) => isKept(index)));
  if (last !== undefined && kept.size < MAX_BREAKPOINTS) kept.add(last);
  return {
    kept,
    warnings:
      left === undefined
        ? []
        : [
            parameterAdjusted(
              `${left.place}.cache_breakpoint`,
              'Of the cache breakpoints only the first and the last three are used.',
            ),
          ],
  };
}
