/** URL and headers of a request, as formed once per target. */
export interface RequestHead {
  readonly url: URL;
  /** Names in lower case, without `content-length`. */
  readonly headers: Readonly<Record<string, string>>;
}
