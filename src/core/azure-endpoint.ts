/** An endpoint of Azure OpenAI, as its base URL names it. */
export interface AzureEndpoint {
  /** The base URL without its query. */
  readonly baseUrl: string;
  /** The version that the query asks for. Absent: the one that a v1 endpoint has by itself. */
  readonly apiVersion?: string;
  /**
   * Whether it is one of the dated endpoints from before v1: they have the deployment in the path, the key in `api-key`, and
   * take only the fields of their date.
   */
  readonly isDated: boolean;
}

/**
 * Reads a base URL of Azure OpenAI: `https://{resource}.openai.azure.com/openai/v1`, or with `?api-version=` a dated endpoint,
 * `https://{resource}.openai.azure.com/openai?api-version=2024-10-21`, with or without `/deployments/{name}` in its path.
 */
export function azureEndpoint(baseUrl: string): AzureEndpoint {
  const url = URL.parse(baseUrl);
  const apiVersion = url?.searchParams.get('api-version') ?? '';
  if (url === null || apiVersion === '') return { baseUrl, isDated: false };
  const path = url.pathname.replace(/\/+$/, '');
  return { baseUrl: `${url.origin}${path}`, apiVersion, isDated: !path.endsWith('/v1') };
}
