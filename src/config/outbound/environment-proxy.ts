import type { Proxy } from '../../core/outbound/proxy.ts';
import type { ConfigProblem } from '../port/problem.ts';
import { readVariable } from '../port/provider-defaults.ts';
import type { Environment } from '../port/resolved.ts';
import { isExempt } from './no-proxy.ts';

/** What the environment says of a URL: which proxy it is asked through, none, or why that cannot be known. */
export type ProxyChoice = { readonly proxy: Proxy | undefined } | { readonly problem: ConfigProblem };

const URL_RULE = 'must be the URL of a proxy, such as http://proxy.internal:3128';

/**
 * Decides by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` which proxy a URL is asked through, as curl does: the variable of
 * the URL's scheme wins over `ALL_PROXY`, small letters over capitals, and a value without a scheme is of HTTP.
 */
export function environmentProxy(env: Environment, url: string): ProxyChoice {
  const parsed = URL.parse(url);
  const variable = variableOf(env, parsed?.protocol === 'https:' ? 'https' : 'http');
  if (parsed === null || variable === undefined || isExempt(noProxy(env), parsed)) return { proxy: undefined };
  const value = readVariable(env, variable) ?? '';
  const proxy = parseProxy(value);
  if (proxy !== undefined) return { proxy };
  const isSocks = /^socks/i.test(value);
  return { problem: { path: variable, message: isSocks ? `${URL_RULE}: SOCKS is not spoken` : URL_RULE } };
}

/** Returns the URL of the proxy for a scheme, with its credentials, whatever is exempt; undefined where there is none, or none that is right. */
export function proxyOfScheme(env: Environment, scheme: 'http' | 'https'): string | undefined {
  const value = readVariable(env, variableOf(env, scheme) ?? '') ?? '';
  return parseProxy(value) === undefined ? undefined : withScheme(value);
}

/** Whether only URLs of the other scheme have a proxy, which is easily overlooked. */
export function hasOnlyHttpProxy(env: Environment): boolean {
  const isSet = (name: string): boolean => readVariable(env, name) !== undefined;
  return spellings('http_proxy').some(isSet) && !spellings('https_proxy', 'all_proxy').some(isSet);
}

function variableOf(env: Environment, scheme: 'http' | 'https'): string | undefined {
  return spellings(`${scheme}_proxy`, 'all_proxy').find((name) => readVariable(env, name) !== undefined);
}

function noProxy(env: Environment): string {
  return (
    spellings('no_proxy')
      .map((name) => readVariable(env, name))
      .find((value) => value !== undefined) ?? ''
  );
}

function spellings(...names: readonly string[]): readonly string[] {
  return names.flatMap((name) => [name, name.toUpperCase()]);
}

function parseProxy(value: string): Proxy | undefined {
  const url = URL.parse(withScheme(value));
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') return undefined;
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return undefined;
  const { username, password } = url;
  if (username === '' && password === '') return { origin: url.origin };
  try {
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return { origin: url.origin, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  } catch {
    return undefined;
  }
}

function withScheme(value: string): string {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`;
}
