import type { ProviderName } from '../../core/provider.ts';
import { baseUrlProblem, withoutApiVersion } from '../port/base-url.ts';
import { isOwnHost, providerDefaults } from '../port/provider-defaults.ts';
import { azureUrl } from './azure-url.ts';
import { apiOf, joinUrl, splitUrl, withoutEnding, type MendedUrl, type UrlParts } from './url-parts.ts';

const OPENAI_ENDINGS = [
  '/chat/completions',
  '/responses',
  '/completions',
  '/embeddings',
  '/v1/models',
  '/v1/chat',
] as const;
const ANTHROPIC_ENDINGS = [
  '/messages/count_tokens',
  '/messages/batches',
  '/messages',
  '/complete',
  '/v1/models',
] as const;
/** What makes an address one of Anthropic's API, its servers at other makers among them. */
const OF_ANTHROPIC = ['/messages/count_tokens', '/messages/batches', '/messages', '/anthropic'];
const OLLAMA_ENDINGS = ['chat', 'generate', 'tags', 'show', 'embed', 'version'].map((name) => `/api/${name}`);

/** Parts of which the paths of providers' APIs are made; others mean something that is not known here. */
const PATH_OF_API = /^(?:\/(?:v1|openai|api))*$/;

/**
 * Puts a base URL right that is the address of an API or of a method, where it is certain what is meant, so that nothing is asked for
 * at a doubled path. What is no base URL at all is left to the schema.
 *
 * @param isResource whether it is the endpoint of a resource of Azure, which the path of the API comes behind in any case
 */
export function mendBaseUrl(provider: ProviderName, text: string, isResource = false): MendedUrl {
  const mended = mendOnce(provider, text, isResource);
  if ('wrong' in mended || mended.baseUrl === text) return mended;
  // What was pasted twice has two endings.
  const again = mendBaseUrl(provider, mended.baseUrl, isResource);
  if ('wrong' in again) return again;
  const notes = [...new Set([mended.note, again.note])].filter((note) => note !== undefined);
  return {
    baseUrl: again.baseUrl,
    note: notes.length === 0 ? undefined : notes.join(', and '),
    api: mended.api ?? again.api,
    deployment: mended.deployment ?? again.deployment,
  };
}

function mendOnce(provider: ProviderName, text: string, isResource: boolean): MendedUrl {
  const parts = baseUrlProblem(withoutApiVersion(text)) === undefined ? splitUrl(text) : undefined;
  if (parts === undefined || provider === 'mock') return { baseUrl: text };
  if (provider === 'azure-openai') return azureUrl(parts, { isResource, isOwnHost: isOwnHost(provider, text) });
  if (parts.query !== '' && isOwnHost('azure-openai', text)) {
    return { wrong: 'is an address of Azure OpenAI: set provider: azure-openai' };
  }
  // That only Azure has a version is said by a rule between fields.
  if (parts.query !== '') return { baseUrl: text };
  if (provider === 'anthropic') return anthropicUrl(parts);
  if (provider === 'ollama') return ollamaUrl(parts);
  return openAiUrl(parts, provider, text);
}

const NO_PATH = "has no path: most servers that speak OpenAI's API have it at /v1";

function openAiUrl(parts: UrlParts, provider: ProviderName, text: string): MendedUrl {
  const foreign = [...OF_ANTHROPIC, ...OLLAMA_ENDINGS].find((ending) => parts.path.endsWith(ending));
  if (foreign !== undefined) {
    const other = foreign.startsWith('/api/') ? 'ollama' : 'anthropic';
    return {
      wrong: `ends in ${foreign}: set provider: ${other}, or give the base URL of OpenAI's API, such as https://HOST/v1`,
    };
  }
  const { path, ending } = withoutEnding(parts.path, OPENAI_ENDINGS);
  const base = ending?.startsWith('/v1/') === true ? `${path}/v1` : path;
  const own = URL.parse(providerDefaults(provider).baseUrl ?? '')?.pathname.replace(/\/$/, '') ?? '';
  const isOwn = isOwnHost(provider, text);
  const right = own !== '' && isOwn && PATH_OF_API.test(base) ? own : base.replace(/(?:\/v1)+$/, '/v1');
  return {
    baseUrl: joinUrl(parts, right),
    note: noteOf(parts.path, right) ?? (isOwn || own === '' || right !== '' ? undefined : NO_PATH),
    api: apiOf(ending),
  };
}

function anthropicUrl(parts: UrlParts): MendedUrl {
  const foreign = OPENAI_ENDINGS.slice(0, 3).find((ending) => parts.path.endsWith(ending));
  if (foreign !== undefined) {
    return {
      wrong: `ends in ${foreign}: set provider: openai, or give the base URL of Anthropic's API, such as https://HOST`,
    };
  }
  const { path } = withoutEnding(parts.path, ANTHROPIC_ENDINGS);
  const right = path.replace(/(\/v1)+$/, '');
  return { baseUrl: joinUrl(parts, right), note: noteOf(parts.path, right) };
}

function ollamaUrl(parts: UrlParts): MendedUrl {
  const { path } = withoutEnding(parts.path, [...OPENAI_ENDINGS, ...ANTHROPIC_ENDINGS, ...OLLAMA_ENDINGS]);
  const right = path.replace(/\/(?:v1|api)$/, '');
  return { baseUrl: joinUrl(parts, right), note: noteOf(parts.path, right) };
}

/** Says what has become of a path; undefined where it has stayed. Of the path only what is known here is told. */
function noteOf(before: string, after: string): string | undefined {
  if (before === after) return undefined;
  return before.startsWith(after)
    ? `ends in ${before.slice(after.length)}, which is left out`
    : `is taken with the path ${after}`;
}
