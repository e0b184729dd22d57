import type { OpenAiApi } from '../../core/provider.ts';

/** A base URL with what its address says besides, or why it cannot be meant. */
export type MendedUrl =
  | {
      readonly baseUrl: string;
      /** What was put right, to stand behind the name of the field. Absent: nothing was wrong. Never holds the URL. */
      readonly note?: string | undefined;
      /** The API whose address it was. */
      readonly api?: OpenAiApi | undefined;
      /** The deployment that Azure's address names. */
      readonly deployment?: string | undefined;
    }
  | { readonly wrong: string };

/** A base URL in parts. */
export interface UrlParts {
  /** Scheme, host and port, as they were written. */
  readonly origin: string;
  /** Without slashes at its end, and without empty steps. */
  readonly path: string;
  /** With its question mark; empty where there is none. */
  readonly query: string;
}

/** Takes a URL apart; undefined where it is none of HTTP. */
export function splitUrl(text: string): UrlParts | undefined {
  const [, origin, path = '', query = ''] = /^(https?:\/\/[^/?#]+)([^?#]*)(\?.*)?$/i.exec(text) ?? [];
  return origin === undefined ? undefined : { origin, path: path.replace(/\/+/g, '/').replace(/\/$/, ''), query };
}

/** Puts a URL together with another path. */
export function joinUrl({ origin, query }: UrlParts, path: string): string {
  return `${origin}${path}${query}`;
}

/** Takes the longest of some endings from a path; without one, the path stays as it is. */
export function withoutEnding(
  path: string,
  endings: readonly string[],
): { readonly path: string; readonly ending: string | undefined } {
  const fitting = endings.filter((ending) => path.endsWith(ending)).toSorted((a, b) => b.length - a.length);
  const [ending] = fitting;
  return { path: ending === undefined ? path : path.slice(0, -ending.length), ending };
}

/** Returns the API of OpenAI that an address ends in. */
export function apiOf(ending: string | undefined): OpenAiApi | undefined {
  if (ending === '/responses') return 'responses';
  return ending === '/chat/completions' ? 'chat_completions' : undefined;
}
