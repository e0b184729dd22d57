import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** The tokens of a recorded answer's output, reasoning included: where the total says that it stands beside them, both together. */
export function outputTokensOf(expected: Expectation): number | null {
  const { input_tokens: input, output_tokens: output, reasoning_tokens: reasoning, total_tokens: total } = expected;
  if (input === null || output === null || reasoning === null) return output;
  return total === input + output + reasoning ? output + reasoning : output;
}

/** What a recorded answer says, computed from its body alone. Null: the provider did not report it. */
export interface Expectation {
  readonly text: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly finish_reason: string | null;
  readonly tool_calls: readonly { readonly id: string | null; readonly name: string; readonly arguments: string }[];
  /** The one call that an answer had before there were several. */
  readonly function_call?: { readonly name: string; readonly arguments: string };
  readonly input_tokens: number | null;
  /** Input with cache reads and writes, where `input_tokens` leaves them out. */
  readonly total_input_tokens?: number | null;
  readonly output_tokens: number | null;
  readonly cached_input_tokens: number | null;
  readonly cache_creation_input_tokens: number | null;
  readonly reasoning_tokens: number | null;
  readonly total_tokens: number | null;
  readonly model: string | null;
  readonly response_id: string | null;
  /** Of a stream: whether its terminal marker was seen. */
  readonly done?: boolean;
  /** Of a stream: the error that broke it. */
  readonly error?: { readonly code?: unknown; readonly type?: unknown; readonly message?: string };
  readonly encrypted_reasoning_items?: number;
  /** Of an error. */
  readonly status?: number;
  readonly code?: string | null;
  readonly type?: string | null;
  readonly message?: string | null;
  readonly retry_after?: string | number;
  readonly retry_after_ms?: string | number;
  readonly should_retry?: string;
}

/** A recorded exchange with a provider. */
export interface ProviderRecording {
  readonly id: string;
  readonly provider: string;
  readonly dialect: string;
  readonly kind: 'json' | 'sse' | 'ndjson' | 'error';
  readonly categories: readonly string[];
  /** The body that was sent, parsed; null where it was not recorded. */
  readonly request: unknown;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly expect: Expectation;
}

/** Returns the calls of an answer, also the one of the older form, which has no id. */
export function recordedCalls({ tool_calls: calls, function_call: older }: Expectation): Expectation['tool_calls'] {
  return older === undefined ? calls : [...calls, { ...older, id: null }];
}

const FOLDER = new URL('../../../shared/fixtures/', import.meta.url);

/** Loads all recorded exchanges, by id; none where the folder `../shared/fixtures` is absent. */
export function loadRecordings(): readonly ProviderRecording[] {
  return ['recorded/', 'extras/'].flatMap((name) => {
    const folder = new URL(name, FOLDER);
    if (!existsSync(folder)) return [];
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
    return files.sort().map((file) => parseRecording(readFileSync(new URL(file, folder), 'utf8')));
  });
}

function parseRecording(text: string): ProviderRecording {
  return JSON.parse(text) as ProviderRecording;
}
