/** A case that every client is asked to run. */
export interface ClientCase {
  /** What the client's program is told to run. */
  readonly name: string;
  /** What it shows. */
  readonly title: string;
  /** Runs in a process of its own, because the runner does something to the gateways meanwhile,
   * counts their calls, or has one alone. */
  readonly alone: boolean;
}

const shared = (name: string, title: string): ClientCase => ({ name, title, alone: false });
const alone = (name: string, title: string): ClientCase => ({ name, title, alone: true });

/** The cases of a conformance program, in the order of the table. */
export const CLIENT_CASES: readonly ClientCase[] = [
  shared('generate', 'Generate answers'),
  shared('chat', 'Chat answers'),
  shared('stream', 'StreamChat says what Chat says'),
  shared('health', 'Health tells the target'),
  shared('list-models', 'ListModels lists a model'),
  shared('health-check', 'Check of grpc.health.v1 says SERVING'),
  shared('health-watch', 'Watch of grpc.health.v1 says SERVING'),
  shared('deadline', 'a deadline of 1 s ends with its reason and the trail'),
  shared('cancel', 'a cancel reaches the provider'),
  shared('left-loop', 'leaving the loop of a stream reaches the provider'),
  alone('decoded-error', 'violations, reason, attempts and retry info are decoded'),
  shared('restarted', 'a restarted stream has the text of the second target alone'),
  shared('metadata', 'API key, x-request-id, traceparent and the default deadline arrive'),
  shared('tls', 'TLS and mTLS: a call is answered, and a missing or expired certificate refused by name'),
  shared('large', '10 MiB each way'),
  shared('streams', '200 streams at once on one client'),
  alone('rolling', 'no call fails while one of two gateways is replaced'),
  alone('retry-before', 'a retry policy repeats what no provider was contacted for'),
  alone('retry-after', 'a retry policy does not repeat what a provider was contacted for'),
  alone('retry-late', 'a pushback beyond the deadline comes back at once'),
  alone('budget', 'an exhausted budget is one call, and no repeat is of use'),
  alone('budget-stream', 'the same of a stream'),
  alone('rate', 'a caller with too many calls comes again when it is told to'),
  alone('rate-late', 'a rate that is back only behind the deadline comes back at once'),
  alone('wrong-key', 'a wrong key is one call'),
];

/** How soon the provider must hear that a stream was left, in milliseconds: on a busy machine too, and long before the stream ends. */
export const ABORT_WITHIN_MS = 10_000;
