import type { ChatRequest, GenerateRequest, Model, StreamChatRequest } from '../../../gen/understudy/v1/llm_pb.ts';
import type { Attempt, Warning } from '../../../gen/understudy/v1/routing_pb.ts';
import type { Cost } from '../../../gen/understudy/v1/usage_pb.ts';
import type { CallLimits, CallSize, CallTicket } from '../../callers/port/call-limits.ts';
import type { Caller } from '../../callers/port/caller.ts';
import type { Delta, Finish } from '../../core/answer.ts';
import type { CallTrace } from './observed/call-trace.ts';
import type { Failure } from '../../core/failure.ts';
import type { CostBounds } from '../../core/money.ts';
import type { TokenUsage } from '../../core/ports.ts';
import type { Affinity, MovedConversation } from '../../engine/port/affinity.ts';
import type {
  AttemptRecord,
  Call,
  CallResult,
  ChainEntry,
  Prepared,
  Serving,
  TargetHealth,
} from '../../engine/port/call.ts';

/** What a request decides before any provider is called: the chain, and how each of its entries is asked. */
export interface Plan {
  readonly chain: readonly ChainEntry[];
  /** Whether the providers are asked for streams, whatever the caller gets (engine rule U1). */
  readonly streams: boolean;
  /** Which conversation the request goes on with; absent where it says nothing of that. */
  readonly affinity?: Affinity | undefined;
  /** How an entry is asked; with `spending` each attempt must have leave for what it may cost, and an entry without a price is passed over. */
  prepare(entry: ChainEntry, spending?: Spending): Prepared<Delta, Finish> | Failure;
  /** How many tokens it may take. */
  size?(): CallSize;
  /** What the first attempt may cost; undefined where nobody knows that. */
  bounds?(): CostBounds | undefined;
  /** What was not done as the request asked, given who answered and whether the conversation has moved there. */
  warnings(serving: Serving, moved?: MovedConversation): readonly Warning[];
  /** Accounts for an attempt and returns what it cost; undefined where nothing was called. Asked once per attempt. */
  account(attempt: AttemptRecord): Cost | undefined;
  /**
   * Returns the usage of an accounted attempt with estimates where the provider's counts are missing or cannot be true; undefined,
   * as without it: they stand as reported.
   */
  estimatedUsage?(attempt: AttemptRecord): TokenUsage | undefined;
}

/** What gives leave to attempts. */
export type Spending = Pick<CallTicket, 'claim' | 'giveBack' | 'grown'>;

/** What of a caller decides whom its requests go to. */
export type AllowedUse = Pick<Caller, 'routes' | 'targets'>;

/** The fields that routing and translation read; every request has them once Generate has been made a conversation. */
export type PlanRequest = Pick<ChatRequest, 'messages' | 'model' | 'options' | 'tools' | 'toolChoice' | 'routing'>;

/** The trail of a request in the contract's form, and what it cost. */
export interface PricedTrail {
  readonly attempts: Attempt[];
  /** Cost of all attempts together; undefined where nothing was sent. */
  readonly cost: Cost | undefined;
}

/** The end of a request, for logs and metrics. */
export interface CallEnd {
  readonly method: 'Generate' | 'Chat' | 'StreamChat';
  readonly requestId: string;
  /** Who made it; absent where callers are not named. */
  readonly caller?: Caller | undefined;
  readonly request: GenerateRequest | ChatRequest | StreamChatRequest;
  readonly result: CallResult<Delta, Finish>;
  /** The trail with its costs; its attempts are those of `result`, in the same order. */
  readonly trail: PricedTrail;
  /** The trace that it is part of; absent where calls are not traced. */
  readonly trace?: CallTrace | undefined;
}

/** What is known of a call before its request is looked at. */
export interface CallHead {
  readonly requestHeader: Pick<Headers, 'get'>;
  /** `grpc`, `grpc-web` or `connect`. */
  readonly protocolName: string;
}

/** What the handlers need from the rest of the gateway. */
export interface GatewayPort {
  /** What holds now: a call asks it of one and the same, whatever is configured until its end. Absent: this. */
  inForce?(): GatewayPort;
  /** Begins to trace a call, or to pass its trace on; absent, or undefined from it: nobody is told of any. */
  readonly beginTrace?: ((method: CallEnd['method'], head: CallHead) => CallTrace | undefined) | undefined;
  /** Chooses the chain of a valid request; `streams`: whether the caller gets the answer as it is written. A failure here names the field and has contacted nobody. */
  plan(request: PlanRequest, streams: boolean, use?: AllowedUse, trace?: CallTrace): Plan | Failure;
  /** Names of the targets that a caller may use; undefined: all. */
  allowedTargets?(use: AllowedUse): ReadonlySet<string> | undefined;
  /** What calls of named callers are held to; absent: nothing. */
  readonly limits?: CallLimits | undefined;
  /** Runs a request through the fallback engine. Never rejects. */
  run(call: Call<Delta, Finish>): Promise<CallResult<Delta, Finish>>;
  /** Every target's state, in the order of the configuration. */
  targets(): readonly TargetHealth[];
  /** What a target has cost since start in nano-USD; undefined while nothing is known. */
  costOfTarget(target: string): bigint | undefined;
  /** All models, by target and id; waits briefly for those that the targets list themselves. Never rejects. */
  models(): Promise<readonly Model[]>;
  /** Makes a request id. */
  newRequestId(): string;
  /** Milliseconds since start. */
  uptimeMs(): number;
  /** Hears of every finished request; must not throw. */
  callEnded(end: CallEnd): void;
  readonly version: string;
  /** Whether other machines can reach the doors although nobody is asked who calls. Default false. */
  readonly isUnauthenticated?: boolean;
}
