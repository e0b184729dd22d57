import type { Delta } from '../../core/answer.ts';

/** The size of a piece of the answer in characters; close enough to bytes for the engine's bounds. 0: nothing in it. */
export function deltaSize(delta: Delta): number {
  switch (delta.kind) {
    case 'text':
    case 'reasoning':
      return delta.text.length;
    case 'tool_call':
      return (delta.name?.length ?? 0) + (delta.id?.length ?? 0) + delta.argumentsFragment.length;
    case 'part_finished':
      return 1 + (delta.state?.length ?? 0);
  }
}
