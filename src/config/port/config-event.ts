/** What happens to the configuration of the process, for log and metrics. */
export type ConfigEvent =
  /** The process has started with it. */
  | { readonly kind: 'started' }
  /** It was read again. */
  | {
      readonly kind: 'read';
      /** What is other than before, in words without values; empty: nothing. */
      readonly changed: readonly string[];
      /** Settings that hold from the next start on. */
      readonly needRestart: readonly string[];
      readonly warnings: readonly string[];
    }
  /** It was read again and cannot be used: what held stays. Each problem is a line that a start would have ended with. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] };
