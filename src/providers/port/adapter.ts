import type { ChatRequest } from '../../../gen/understudy/v1/llm_pb.ts';
import type { WarningCode } from '../../../gen/understudy/v1/routing_pb.ts';
import type { AnswerDoubt, Delta, FinishReason } from '../../core/answer.ts';
import type { Failure, FailureReason } from '../../core/failure.ts';
import type { LimitReading, TokenUsage } from '../../core/ports.ts';
import type { ProviderName, Silence } from '../../core/provider.ts';
import type { ReasoningWish } from './effort.ts';
import type { ModelFacts } from './model-facts.ts';
import type { Quirk } from './quirk.ts';

/** The part of a request that an adapter translates; both ChatRequest and StreamChatRequest fit. */
export type Chat = Pick<ChatRequest, 'messages' | 'options' | 'tools' | 'toolChoice'>;

/** Where a request goes, as far as its translation depends on it. */
export interface AdapterTarget {
  /** Name of the target, the key of `provider_state`. */
  readonly name: string;
  readonly provider: ProviderName;
  /** The model, or Azure's deployment, to send. */
  readonly model: string;
  /** Whether the answer is streamed. */
  readonly stream: boolean;
  /** Whether the provider itself answers, and not another server that speaks its API and may have models of its own. Absent: it does. */
  readonly ownHost?: boolean | undefined;
  /** What the server takes otherwise than its API says. Absent: nothing is known. */
  readonly quirks?: ReadonlySet<Quirk> | undefined;
}

/** Something that a request asks and this model does not take. */
export interface AdapterWarning {
  readonly code: WarningCode;
  /** Field of the request in the contract's names, such as `options.temperature`. */
  readonly field: string;
  /** One sentence for people. */
  readonly message: string;
}

/** A request in a provider's own form. */
export interface WireRequest {
  /** Path below the target's base URL, such as `/chat/completions`. */
  readonly path: string;
  /** The JSON body. */
  readonly body: Readonly<Record<string, unknown>>;
  /** What was left out or changed; under `routing.strict` each of them refuses the target. */
  readonly warnings: readonly AdapterWarning[];
  /** Texts that end the answer and that the provider does not look for: the gateway cuts there. */
  readonly localStop: readonly string[];
  /** Whether the provider knows no more of the schema of the answer than that it is JSON; absent: it knows it. */
  readonly localSchema?: boolean | undefined;
}

/**
 * What an adapter reads from an answer, whole or streamed. After `finish` come at most `usage` and `end`. `failure` is last.
 * What is malformed is a `failure` of class `protocol`.
 */
export type AdapterEvent =
  | { readonly type: 'identity'; readonly model?: string | undefined; readonly responseId?: string | undefined }
  | { readonly type: 'delta'; readonly delta: Delta }
  /** Replaces what was reported before. */
  | { readonly type: 'usage'; readonly usage: TokenUsage }
  /** The provider's terminal marker (engine rule X3). */
  | {
      readonly type: 'finish';
      readonly reason: FinishReason;
      readonly raw: string;
      readonly doubts?: readonly AnswerDoubt[] | undefined;
    }
  /** An event or an item that the adapter does not know: it is counted, and otherwise ignored. */
  | { readonly type: 'unknown' }
  /** Nothing after this counts. `cancel`: the provider is still writing and must be stopped. */
  | { readonly type: 'end'; readonly cancel?: boolean }
  | { readonly type: 'failure'; readonly failure: Failure };

/** What an adapter reads from something that it does not know. */
export const UNKNOWN: readonly AdapterEvent[] = [{ type: 'unknown' }];

/** One event of a stream: of SSE, name and data; of NDJSON, a line as data. */
export interface WireEvent {
  /** Name of the SSE event; empty where none was given. */
  readonly name: string;
  readonly data: string;
}

/** Reads the events of one stream, in order; made anew for each attempt because it remembers what it saw. */
export interface EventReader {
  (event: WireEvent): readonly AdapterEvent[];
  /** Absent: every event must be read by itself. */
  readonly repeated?: RepeatedReader | undefined;
}

/** The data of events that say a piece of a text and nothing else: what stands around the inside of a string of JSON. */
export interface RepeatedForm {
  readonly kind: 'text' | 'reasoning';
  /** From the beginning to the opening quote of the text. */
  readonly before: string;
  /** From its closing quote to the end. */
  readonly behind: string;
}

/** Reads events that repeat one before them but for its text, many at once (`docs/adr/0050-repeated-events-are-read-together.md`). */
export interface RepeatedReader {
  /** Returns the forms that such events have now. */
  forms(): readonly RepeatedForm[];
  /** Reads so many events of a form that follow each other, as they would be read one by one: all their texts, joined. */
  read(form: RepeatedForm, text: string, count: number): readonly AdapterEvent[];
}

/** An answer that is no success, read whole (at most 64 KiB of the body). */
export interface ErrorResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds since the epoch, for dates in headers. */
  readonly wallMs: number;
}

/** A call that costs nothing and tells whether a target can be used. Never a completion (engine rule K8). */
export interface HealthCheck {
  /** Path below the target's base URL, asked for with GET. */
  readonly path: string;
  /** The reasons of suspensions whose end it can tell. */
  readonly tells: readonly FailureReason[];
  /** Reads an answer: status and whole body, which may be anything. */
  read(status: number, body: string): 'usable' | 'unusable' | 'unknown';
}

/** A model as its provider lists it. */
export interface ListedModel extends ModelFacts {
  /** Empty where the entry names none; such entries are passed over. */
  readonly id: string;
}

/** A provider's list of models: free, and asked for in the background. */
export interface ModelList {
  /** Path below the target's base URL, asked for with GET. */
  readonly path: string;
  /**
   * Reads the list, whatever it is; models that answer no conversation are left out. `ownHost`: whether the provider itself has
   * sent it, so that its names mean what they mean there.
   */
  read(json: unknown, ownHost: boolean): readonly ListedModel[];
  /** Where the list names its models and no more: how to ask for one of them, with POST. */
  readonly details?:
    | {
        readonly path: string;
        body(id: string): Readonly<Record<string, unknown>>;
        /** Reads what is known of a model; undefined where it answers no conversation. */
        read(id: string, json: unknown): ListedModel | undefined;
      }
    | undefined;
}

/**
 * Translates between the contract and one API. Pure: no sockets, no clock, no state but that of a reader. Never changes its
 * input.
 */
export interface Translator {
  /** How streamed answers are framed. */
  readonly framing: 'sse' | 'ndjson';
  /** Translates a request, or says why this API cannot take it (class `capability`, with the field). */
  request(chat: Chat, target: AdapterTarget): WireRequest | Failure;
  /** Reads a whole answer; `json` is whatever the body parsed to, `text` the body, for what must keep its digits. */
  response(json: unknown, text?: string): readonly AdapterEvent[];
  /** Makes a reader for one streamed answer. */
  events(): EventReader;
  /** Classifies an answer with an error status. */
  failure(response: ErrorResponse): Failure;
  /**
   * Reads what the headers of any answer say of the provider's rate limits; absent where it says nothing. Names of headers are
   * in lower case; `wallMs` is our own clock, in milliseconds since the epoch.
   */
  limits?(headers: ErrorResponse['headers'], wallMs: number): readonly LimitReading[];
}

/** All that the gateway knows of a provider: how its API is spoken, and what else can be asked there. */
export interface Adapter extends Translator {
  /** How to find out for nothing whether a suspended target can be used again; undefined where nothing does. */
  readonly healthCheck: HealthCheck | undefined;
  /** How to find out for nothing which models a target has; undefined where the provider does not say. */
  readonly modelList: ModelList | undefined;
  /**
   * How long a streamed call may say nothing of its answer although all is well, and what comes of it meanwhile (engine, "Timers"):
   * a model may think in silence, alone or as it was asked to, or must be loaded first; so may one of which nothing is known at a
   * provider whose models do. Sources: docs/providers/silence.md.
   */
  silence(model: string, reasoning: ReasoningWish): Silence;
}
