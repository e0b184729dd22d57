/** Something that has to be right behind every proxy. */
export interface ProxyCase {
  /** Its name on the command line. */
  readonly name: string;
  /** What is right, as a title of a row. */
  readonly title: string;
}

/** How late a word, and how soon the news of a cancel, may be, in milliseconds. */
export const WORD_WITHIN_MS = 50;
export const CANCEL_WITHIN_MS = 50;

/** The cases in the order of the table. */
export const PROXY_CASES = [
  { name: 'words-grpc', title: 'words come one by one, half of them within' },
  { name: 'words-web', title: 'the same at the web door' },
  { name: 'cancel-stream', title: 'a cancelled stream ends at the provider within 50 ms' },
  { name: 'cancel-unary', title: 'a cancelled unary call does' },
  { name: 'cancel-web', title: 'a web caller who leaves in silence does' },
  { name: 'large-grpc', title: '10 MiB each way' },
  { name: 'large-web', title: 'the same at the web door' },
  { name: 'together', title: '200 streams at once on one connection' },
  { name: 'many-calls', title: '3,000 calls on one connection' },
  { name: 'request-id', title: '`x-request-id` arrives and comes back' },
  { name: 'deadline', title: '`grpc-timeout` and `connect-timeout-ms` arrive' },
  { name: 'details', title: 'details, trail and pushback of errors come back, before, behind and without an answer' },
  { name: 'repeats', title: 'a call that a provider has failed is not repeated' },
  { name: 'silence', title: 'streams and unary calls outlive 70 s of silence' },
  { name: 'impatient', title: 'pings spare a stream what ends a unary call: a timeout of 40 s' },
  { name: 'killed', title: 'a call whose gateway dies is not repeated by the proxy; how it ends' },
  { name: 'rolling', title: 'two gateways are replaced without an error' },
] as const satisfies readonly ProxyCase[];

/** The name of a case. */
export type ProxyCaseName = (typeof PROXY_CASES)[number]['name'];

/** Fails a case. */
export function insist(isRight: boolean, otherwise: string): void {
  if (!isRight) throw new Error(otherwise);
}
