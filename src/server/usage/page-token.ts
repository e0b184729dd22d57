import { createHash } from 'node:crypto';

/** Where a page begins, and what it is a page of. */
export interface UsagePage {
  readonly startMs: number;
  readonly endMs: number;
  /** The keys of the last row before it. */
  readonly after: readonly string[];
}

/** Returns a short text that is the same for the same question alone, and says nothing of it. */
export function fingerprintOf(question: unknown): string {
  return createHash('sha256').update(JSON.stringify(question)).digest('base64url').slice(0, 16);
}

/** Makes the token of a page of a question. */
export function writePageToken(fingerprint: string, { startMs, endMs, after }: UsagePage): string {
  return Buffer.from(JSON.stringify([fingerprint, startMs, endMs, ...after])).toString('base64url');
}

/** Reads the token of a page; undefined where it is none of this question. */
export function readPageToken(token: string, fingerprint: string, keys: number): UsagePage | undefined {
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(read) || read.length !== keys + 3 || read[0] !== fingerprint) return undefined;
  const [, startMs, endMs, ...after]: unknown[] = read;
  if (!Number.isSafeInteger(startMs) || !Number.isSafeInteger(endMs)) return undefined;
  const texts = after.filter((key) => typeof key === 'string' && !key.includes('\0'));
  if (typeof startMs !== 'number' || typeof endMs !== 'number' || texts.length !== after.length) return undefined;
  return { startMs, endMs, after: texts.map(String) };
}
