import type { JsonRecord } from './value.ts';
import { asRecord, parseJson } from './value.ts';

/** Writes what goes with a part of an answer as its state (`provider_state`): JSON in UTF-8. */
export function stateBytes(state: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(state));
}

/** Reads a state that has come back from a caller; undefined where there is none, or no JSON object. */
export function stateRecord(bytes: Uint8Array | undefined): JsonRecord | undefined {
  return bytes === undefined ? undefined : asRecord(parseJson(new TextDecoder().decode(bytes)));
}
