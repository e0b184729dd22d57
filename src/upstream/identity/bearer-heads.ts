import type { HeadSource } from '../head/sdk.ts';
import type { RequestHead } from '../port/request-head.ts';
import type { EntraTokens } from './entra-tokens.ts';

/** Puts the token that is at hand into the heads of a target; each is made once for a token. Rejects as the tokens do. */
export function bearerHeads(source: HeadSource, tokens: Pick<EntraTokens, 'token'>): HeadSource {
  const made = new WeakMap<RequestHead, { readonly token: string; readonly head: RequestHead }>();
  const withToken = (head: RequestHead, token: string): RequestHead => {
    const known = made.get(head);
    if (known?.token === token) return known.head;
    const bearer = { url: head.url, headers: { ...head.headers, authorization: `Bearer ${token}` } };
    made.set(head, { token, head: bearer });
    return bearer;
  };
  return {
    head: (request) => {
      const head = source.head(request);
      const token = tokens.token();
      if (!(head instanceof Promise) && typeof token === 'string') return withToken(head, token);
      return Promise.all([head, token]).then((parts) => withToken(...parts));
    },
  };
}
