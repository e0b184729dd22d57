/** Names and values of HTTP headers. */
export type HeaderValues = Readonly<Record<string, string>>;

/** Headers, or what makes them for each try of a call. */
export type HeaderSource = HeaderValues | (() => HeaderValues | Promise<HeaderValues>);

/** A key, or what gives it for each try of a call. */
export type KeySource = string | (() => string | Promise<string>);

/** What every call of a client bears. */
export interface ClientHeaders {
  readonly headers?: HeaderSource | undefined;
  readonly apiKey?: KeySource | undefined;
}

/** Makes the headers of one try: those of the call, then those of the client, then the API key. */
export async function headersOfTry(own: Headers, { headers, apiKey }: ClientHeaders): Promise<Headers> {
  const merged = new Headers(own);
  const values = typeof headers === 'function' ? await headers() : (headers ?? {});
  for (const [name, value] of Object.entries(values)) {
    if (!merged.has(name)) setHeader(merged, name, value);
  }
  if (apiKey !== undefined && !merged.has('authorization')) {
    merged.set('authorization', `Bearer ${usableKey(typeof apiKey === 'function' ? await apiKey() : apiKey)}`);
  }
  return merged;
}

/** Sets a header. The error does not repeat the value, which may be a secret, as that of `Headers` would. Throws a TypeError. */
export function setHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch {
    throw new TypeError(`the header ${JSON.stringify(name)} has a name or a value that HTTP does not allow`);
  }
}

/**
 * Refuses to send an API key where others can read it: over plaintext to another host than loopback. Throws a TypeError.
 */
export function guardKey(url: URL, { apiKey, allowApiKeyWithoutTls = false }: GuardedKey): void {
  if (typeof apiKey === 'string') usableKey(apiKey);
  if (apiKey === undefined || allowApiKeyWithoutTls || url.protocol === 'https:' || isLoopback(url.hostname)) return;
  throw new TypeError('an apiKey over plaintext to another host needs TLS, or allowApiKeyWithoutTls');
}

interface GuardedKey {
  readonly apiKey?: KeySource | undefined;
  readonly allowApiKeyWithoutTls?: boolean | undefined;
}

/** What a header can hold of a key. The error does not repeat the key. */
function usableKey(apiKey: string): string {
  const key = apiKey.trim();
  if (key === '') throw new TypeError('apiKey is empty');
  if (!/^[\u0021-\u007e]+$/.test(key)) throw new TypeError('apiKey has characters that no header can have');
  return key;
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
