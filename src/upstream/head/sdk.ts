import type { ClientOptions, OpenAI } from 'openai';

import { azureEndpoint } from '../../core/azure-endpoint.ts';
import type { DistinctName, ProviderName } from '../../core/provider.ts';
import { isCompatible } from '../../core/provider.ts';
import { captureHead } from './capture.ts';
import type { HeadRequest, HeadTarget, RequestHead } from '../port/request-head.ts';
import { formAnthropic } from './anthropic-head.ts';

/** Forms the heads of one target's requests. */
export interface HeadSource {
  /** Returns the head, at once where one like it was formed before. Rejects where the base URL is none. */
  head(request: HeadRequest): RequestHead | Promise<RequestHead>;
}

type FormHead = (target: HeadTarget, request: HeadRequest) => Promise<RequestHead>;

/**
 * One line per kind of upstream. OpenAI's SDK forms whatever speaks OpenAI's APIs; Ollama's API has no head worth an SDK. An SDK
 * is loaded when its first head is formed: they are large, and few processes need both.
 */
const FORMS = {
  'azure-openai': formAzure,
  openai: formOpenAi,
  anthropic: formAnthropic,
  deepseek: formOpenAi,
  ollama: formPlain,
  mock: formOpenAi,
} as const satisfies Record<DistinctName, FormHead>;

function formOf(provider: ProviderName): FormHead {
  return isCompatible(provider) ? formOpenAi : FORMS[provider];
}

/** Loads the SDK that forms a provider's heads, so that the first call need not wait for it. */
export async function loadSdk(provider: ProviderName): Promise<void> {
  if (provider === 'anthropic') await import('@anthropic-ai/sdk');
  else if (provider !== 'ollama') await import('openai');
}

const MAX_HEADS = 256;

/** Makes the source of heads for one target. Nothing is made before the first head is asked for; each is formed once. */
export function createHeadSource(target: HeadTarget): HeadSource {
  const namesModel = target.provider === 'azure-openai' && azureEndpoint(target.baseUrl).isDated;
  const heads = new Map<string, RequestHead | Promise<RequestHead>>();
  return {
    head: (request) => {
      const { path, stream, model } = request;
      // Paths are the adapters' own and have no blank.
      const key = `${stream ? 'stream' : 'whole'} ${path} ${namesModel ? model : ''}`;
      const known = heads.get(key);
      if (known !== undefined) return known;
      // Only callers that invent deployments get there.
      if (heads.size === MAX_HEADS) heads.clear();
      const forming = formOf(target.provider)(target, request).then(
        (formed) => {
          heads.set(key, formed);
          return formed;
        },
        (error: unknown) => {
          heads.delete(key);
          throw error;
        },
      );
      heads.set(key, forming);
      return forming;
    },
  };
}

/**
 * Options that shut out everything the SDK would take from the environment (`OPENAI_API_KEY`, `_ADMIN_KEY`, `_ORG_ID`,
 * `_PROJECT_ID`, `_BASE_URL`, `_WEBHOOK_SECRET`, `_LOG`): with them set, keys and names of one account would reach the hosts
 * of another. `OPENAI_CUSTOM_HEADERS` has no option; see {@link capture}.
 */
function closedOptions(target: HeadTarget, send: typeof fetch) {
  return {
    baseURL: target.baseUrl,
    // The constructor insists on a key; where there is none, the request takes the header out again.
    apiKey: target.apiKey ?? 'none',
    adminAPIKey: null,
    organization: target.provider === 'openai' ? (target.organization ?? null) : null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: 'off',
    fetch: send,
  } as const satisfies ClientOptions;
}

async function formOpenAi(target: HeadTarget, request: HeadRequest): Promise<RequestHead> {
  const { OpenAI } = await import('openai');
  return capture(target, request, (send) => new OpenAI(closedOptions(target, send)));
}

/** Dated endpoints differ from v1 in the path and the header of the key: the SDK's Azure client knows how. */
async function formAzure(target: HeadTarget, request: HeadRequest): Promise<RequestHead> {
  const { baseUrl, apiVersion, isDated } = azureEndpoint(target.baseUrl);
  if (apiVersion === undefined) return formOpenAi(target, request);
  const { AzureOpenAI, OpenAI } = await import('openai');
  return capture(target, request, (send) => {
    const options = closedOptions({ ...target, baseUrl }, send);
    return isDated
      ? new AzureOpenAI({ ...options, apiVersion, deployment: request.model })
      : new OpenAI({ ...options, defaultQuery: { 'api-version': apiVersion } });
  });
}

async function formPlain(target: HeadTarget, request: HeadRequest): Promise<RequestHead> {
  const url = new URL(`${target.baseUrl.replace(/\/$/, '')}${request.path}`);
  const headers: Record<string, string> = {
    accept: request.stream ? 'application/x-ndjson' : 'application/json',
    'content-type': 'application/json',
  };
  if (target.apiKey !== undefined) headers['authorization'] = `Bearer ${target.apiKey}`;
  return { url, headers };
}

function capture(
  target: HeadTarget,
  { path, stream, model }: HeadRequest,
  create: (send: typeof fetch) => OpenAI,
): Promise<RequestHead> {
  return captureHead((send) => {
    const client = create(send);
    // The constructor has put OPENAI_CUSTOM_HEADERS there, and gives no way to keep it from that.
    client['_options'].defaultHeaders =
      target.apiKey === undefined ? { Authorization: null, 'api-key': null } : undefined;
    return client.post(path, { body: { model, stream } });
  });
}
