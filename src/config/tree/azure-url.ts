import { apiOf, joinUrl, withoutEnding, type MendedUrl, type UrlParts } from './url-parts.ts';

/** What else is known of an address of Azure OpenAI. */
interface AzureUrlFacts {
  /** Whether it is the endpoint of a resource, which the path of the API comes behind in any case. */
  readonly isResource: boolean;
  /** Whether Azure itself answers there. */
  readonly isOwnHost: boolean;
}

const ENDINGS = ['/chat/completions', '/responses', '/completions', '/embeddings', '/models'] as const;
const RIGHT_FORM = 'https://NAME.openai.azure.com/openai/v1';

/** Puts an address of Azure OpenAI right, that of the portal ("Target URI") among them. */
export function azureUrl(parts: UrlParts, { isResource, isOwnHost }: AzureUrlFacts): MendedUrl {
  const { path, ending } = withoutEnding(parts.path, ENDINGS);
  const isDated = parts.query !== '';
  const deployment = deploymentOf(path);
  if (isOwnHost && (/^\/api\/projects\/[^/]+$/.test(path) || parts.path.startsWith('/models'))) {
    return { wrong: `is an address of Azure AI Foundry, not of its OpenAI API: ${RIGHT_FORM}` };
  }
  if (deployment !== undefined && !isDated) {
    return {
      wrong: `names a deployment, and so must end in ?api-version=…, or be ${RIGHT_FORM}, with the deployment as model`,
    };
  }
  const added = missingPath(path, isDated ? '/openai' : '/openai/v1', { isResource, isOwnHost });
  const base = isOwnHost && path === '/v1' ? '/openai/v1' : path.replace(/(?:\/openai)+(?=\/openai)/, '') + added;
  const notes = [
    ...(ending === undefined ? [] : [`ends in ${ending}, which is left out`]),
    ...(base === path || isResource ? [] : ['is taken with the path of the API, /openai/v1 or /openai']),
  ];
  return { baseUrl: joinUrl(parts, base), note: notes[0], api: apiOf(ending), deployment };
}

/** Says so where an address names a deployment and another is the model; undefined otherwise. */
export function deploymentDoubt(deployment: string | undefined, model: unknown): string | undefined {
  if (deployment === undefined || model === undefined || model === deployment) return undefined;
  return 'names another deployment than the model: that one answers, whatever is asked for';
}

/** Returns what a path lacks of that of the API. What is no resource may have the API anywhere, but not at its root. */
function missingPath(path: string, whole: string, { isResource, isOwnHost }: AzureUrlFacts): string {
  if (path === '') return whole;
  if (path.endsWith('/openai')) return whole.slice('/openai'.length);
  if (path.endsWith('/v1') || deploymentOf(path) !== undefined) return '';
  return isResource || isOwnHost ? whole : '';
}

function deploymentOf(path: string): string | undefined {
  const [, name] = /\/deployments\/([^/]+)$/.exec(path) ?? [];
  return name;
}
