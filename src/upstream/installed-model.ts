import type { RequestHead } from './request-head.ts';
import type { Transport } from './transport.ts';

/** Longest list of models that is read, in bytes. */
const MAX_LIST_BYTES = 1024 * 1024;

/**
 * Asks an Ollama for its installed models and returns the first, or undefined where there is none or it does not answer. Never
 * rejects. Free of charge: a list, not a completion.
 *
 * @param head of the list, with the URL of `/api/tags`
 */
export function installedModel(
  transport: Transport,
  head: RequestHead,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const exchange = transport.send(
    { method: 'GET', ...head, body: '' },
    {
      onHeaders: (status) => {
        if (status !== 200) give(undefined);
      },
      onData: (chunk) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_LIST_BYTES) give(undefined);
      },
      onEnd: () => give(firstName(Buffer.concat(chunks).toString('utf8'))),
      onError: () => give(undefined),
    },
  );
  const give = (model: string | undefined): void => {
    signal.removeEventListener('abort', stop);
    exchange.abort();
    resolve(model);
  };
  const stop = (): void => give(undefined);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return promise;
}

/** Reads `{"models": [{"name": "llama3.2:latest"}]}`. */
function firstName(json: string): string | undefined {
  try {
    const list: unknown = JSON.parse(json);
    const models = typeof list === 'object' && list !== null && 'models' in list ? list.models : undefined;
    const first: unknown = Array.isArray(models) ? models[0] : undefined;
    const name = typeof first === 'object' && first !== null && 'name' in first ? first.name : undefined;
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined;
  }
}
