import type { HealthCheck } from '../port/adapter.ts';
import type { JsonRecord } from './json/value.ts';
import { asRecord, parseJson } from './json/value.ts';

/**
 * Makes the free call that asks for a list of models. It proves key and reach, not credit: the list is free, and so nobody
 * refuses it for want of money.
 */
export function listingCheck(path: string): HealthCheck {
  return { path, tells: ['PROVIDER_AUTH_FAILED'], read: (status, body) => readAnswer(status, body, () => 'usable') };
}

/** Makes a free call whose answer tells of credit, too; `read` reads it where it is a JSON object. */
export function balanceCheck(path: string, read: (answer: JsonRecord) => ReturnType<HealthCheck['read']>): HealthCheck {
  return {
    path,
    tells: ['PROVIDER_AUTH_FAILED', 'PROVIDER_QUOTA_EXHAUSTED'],
    read: (status, body) => readAnswer(status, body, read),
  };
}

/** A refused key is unusable; an answer that is no JSON object is that of somebody else, such as a proxy. */
function readAnswer(
  status: number,
  body: string,
  read: (answer: JsonRecord) => ReturnType<HealthCheck['read']>,
): ReturnType<HealthCheck['read']> {
  if (status === 401 || status === 402 || status === 403) return 'unusable';
  const answer = status === 200 ? asRecord(parseJson(body)) : undefined;
  return answer === undefined ? 'unknown' : read(answer);
}
