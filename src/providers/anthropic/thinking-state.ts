import { stateBytes, stateRecord } from '../shared/json/state-bytes.ts';

/** What Anthropic wants back with a reasoning part besides its text. */
export type ThinkingState =
  | { readonly type: 'thinking'; readonly signature: string; readonly model?: string }
  | { readonly type: 'redacted_thinking'; readonly data: string; readonly model?: string };

/** Writes a state as UTF-8 JSON. */
export function encodeState(state: ThinkingState): Uint8Array {
  return stateBytes(state);
}

/** Reads a state that came back from a caller; undefined where {@link encodeState} did not write it. */
export function decodeState(data: Uint8Array): ThinkingState | undefined {
  const state = stateRecord(data);
  const named = typeof state?.model === 'string' ? { model: state.model } : {};
  if (state?.type === 'thinking' && typeof state.signature === 'string') {
    return { type: 'thinking', signature: state.signature, ...named };
  }
  return state?.type === 'redacted_thinking' && typeof state.data === 'string'
    ? { type: 'redacted_thinking', data: state.data, ...named }
    : undefined;
}
