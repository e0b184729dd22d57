import type { ProviderName } from '../../core/provider.ts';

/** Whose requests are formed: the base URL and the key of one target. */
export interface HeadTarget {
  readonly provider: ProviderName;
  /**
   * Base URL with the version in its path, such as `https://api.openai.com/v1`. Azure: as `core/azure-endpoint.ts` reads it.
   */
  readonly baseUrl: string;
  /** Absent: no `authorization` is sent, as local servers like it. */
  readonly apiKey?: string | undefined;
  /** OpenAI alone: sent as `openai-organization`. */
  readonly organization?: string | undefined;
}

/** What distinguishes the requests of one target, as far as their heads go. */
export interface HeadRequest {
  /** Path below the base URL, such as `/chat/completions`. */
  readonly path: string;
  /** Whether a stream is asked for. */
  readonly stream: boolean;
  /** The model, or Azure's deployment. */
  readonly model: string;
}

/** URL and headers of a request, as formed once per target. */
export interface RequestHead {
  readonly url: URL;
  /** Names in lower case, without `content-length`. */
  readonly headers: Readonly<Record<string, string>>;
}
