import { PROVIDER_DEFAULTS } from './port/provider-defaults.ts';
import { valueAt } from './port/problem.ts';

/** Where Ollama listens unless it is told otherwise. */
export const OLLAMA_DEFAULT_URL = PROVIDER_DEFAULTS.ollama.baseUrl;

/** The part of `fetch` that the probe needs. */
export type FetchLike = (
  url: string,
  init: { readonly signal: AbortSignal },
) => Promise<{ readonly ok: boolean; json(): Promise<unknown> }>;

/**
 * Tells whether an Ollama with at least one installed model answers on this machine. To be asked only where
 * {@link Config.demo} is true, since nobody configured it. Never rejects.
 *
 * @param signal - ends the wait for something that listens there and says nothing
 */
export async function probeOllama(fetch: FetchLike, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`${OLLAMA_DEFAULT_URL}/api/tags`, { signal });
    const models = valueAt(await response.json(), ['models']);
    return response.ok && Array.isArray(models) && models.length > 0;
  } catch {
    return false;
  }
}
