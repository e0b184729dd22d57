/** Says what is wrong with a base URL; undefined where nothing is. The sentence never holds the URL. */
export function baseUrlProblem(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || !/^https?:\/\//i.test(text)) {
    return 'must be a URL that begins with http:// or https://';
  }
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password; use api_key';
  if (text.includes('?') || text.includes('#')) return 'must not hold a query or fragment';
  if (/\s/.test(text)) return 'must not hold spaces';
  return undefined;
}

/** Removes the one query that a base URL of Azure OpenAI may hold: the version of a dated endpoint. */
export function withoutApiVersion(text: string): string {
  return text.replace(/\?api-version=[A-Za-z0-9.-]+$/, '');
}

/** Removes trailing slashes, so that a path can follow. */
export function trimBaseUrl(text: string): string {
  return text.replace(/\/+$/, '');
}

/** Returns the host, with its port where it is unusual: all of a base URL that is shown to people. */
export function hostOf(baseUrl: string): string {
  return URL.parse(baseUrl)?.host ?? '';
}
