import type { Turn } from '../../shared/conversation.ts';
import { textsOf } from '../../shared/conversation.ts';
import type { CacheMarks } from '../shared/input-parts.ts';

/** Whether instructions at the beginning, or wherever they stand, are sent as one message. */
export interface SystemStyle {
  /** Absent: as they are. */
  readonly joinsSystem?: 'leading' | 'all' | undefined;
  /** The parts after which the prompt shall be cached. */
  readonly marks: CacheMarks;
}

/**
 * Returns a conversation with its instructions in one message, where the server is sent them so: many templates take a system message
 * at the beginning alone. Texts become paragraphs of one, unless the prompt is to be cached after one of them.
 *
 * Sources: https://github.com/vllm-project/vllm/issues/44505, https://github.com/BerriAI/litellm/issues/26879.
 */
export function joinedSystem(turns: readonly Turn[], { joinsSystem, marks }: SystemStyle): readonly Turn[] {
  if (joinsSystem === undefined) return turns;
  const end = turns.findIndex(({ role }) => role !== 'system');
  const leading = end < 0 ? turns.length : end;
  const isAlone = joinsSystem === 'leading' || !hasLaterSystem(turns);
  if (isAlone && leading < 2) return turns;
  const isJoined = ({ role }: Turn, at: number): boolean => role === 'system' && (!isAlone || at < leading);
  return [...joinedTurn(turns.filter(isJoined), marks), ...turns.filter((turn, at) => !isJoined(turn, at))];
}

function joinedTurn(system: readonly Turn[], marks: CacheMarks): readonly Turn[] {
  const [first] = system;
  if (first === undefined) return [];
  const parts = system.flatMap((turn) => turn.parts);
  // Marks move on as the conversation grows; how its beginning is written may not follow them.
  const isMarked = marks.size > 0 && parts.some(({ cacheBreakpoint }) => cacheBreakpoint);
  if (isMarked || parts.some(({ part }) => part.case !== 'text')) return [{ ...first, parts }];
  const value = system.flatMap(textsOf).join('\n\n');
  const part = { case: 'text', value } as const;
  return [{ ...first, parts: [{ part, state: undefined, cacheBreakpoint: false, content: [], place: first.place }] }];
}

/** Whether instructions stand behind the first turn of somebody else. */
export function hasLaterSystem(turns: readonly Turn[]): boolean {
  const first = turns.findIndex(({ role }) => role !== 'system');
  return first >= 0 && turns.findLastIndex(({ role }) => role === 'system') > first;
}
