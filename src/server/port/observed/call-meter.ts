/** How a call of the gRPC door has ended. */
export interface MeteredCall {
  /** Number of its gRPC status; 1 (CANCELLED) where it was cut off without one. */
  readonly status: number;
  /** From its headers to its end, in milliseconds. */
  readonly durationMs: number;
  /** Bytes of its messages, as they are on the wire, without what frames them. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Counts the calls of the gRPC door. */
export interface CallMeter {
  /** Notes that a call has begun, by its method such as `understudy.v1.LlmService/Chat`; what is returned hears of its end, once. */
  started(method: string): (call: MeteredCall) => void;
}
