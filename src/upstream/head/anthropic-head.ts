import { captureHead } from './capture.ts';
import type { HeadRequest, HeadTarget, RequestHead } from '../port/request-head.ts';

/** Stands in for a key where there is none: the SDK would look for one on the disk. */
const NO_KEY = 'none';

/**
 * Forms the head of a call of Anthropic's Messages API by its SDK, which knows version and authentication. Everything that the
 * SDK would take from the environment (`ANTHROPIC_API_KEY`, `_AUTH_TOKEN`, `_BASE_URL`, `_LOG`, `_CUSTOM_HEADERS`, `_PROFILE`,
 * tracing) is shut out.
 */
export async function formAnthropic(target: HeadTarget, { path, stream, model }: HeadRequest): Promise<RequestHead> {
  const { Anthropic } = await import('@anthropic-ai/sdk');
  return captureHead((send) => {
    const client = new Anthropic({
      baseURL: target.baseUrl,
      apiKey: target.apiKey ?? NO_KEY,
      webhookKey: null,
      maxRetries: 0,
      logLevel: 'off',
      openTelemetry: false,
      fetch: send,
    });
    // The constructor has put ANTHROPIC_CUSTOM_HEADERS there, and gives no way to keep it from that.
    const options: unknown = Reflect.get(client, '_options');
    if (typeof options !== 'object' || options === null) throw new Error('the SDK keeps its options elsewhere');
    Reflect.set(options, 'defaultHeaders', target.apiKey === undefined ? { Authorization: null } : undefined);
    return client.post(path, { body: { model, stream }, stream });
  });
}
