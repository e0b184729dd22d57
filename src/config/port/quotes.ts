/** Quotes around quotes, as one tool after another puts them there; beyond that they are meant. */
const MOST_PAIRS = 3;

/** A pair of the same quotes, and what stands between them. */
const QUOTED = /^(["'`])(.*)\1$/s;

/**
 * Removes blanks (byte order marks and all line ends among them) and pairs of quotes around a text: `docker run --env-file` and the
 * files of systemd and Kubernetes leave them there.
 */
export function withoutQuotes(text: string): string {
  let bare = text.trim();
  for (let pairs = 0; pairs < MOST_PAIRS; pairs += 1) {
    const within = QUOTED.exec(bare)?.[2];
    if (within === undefined) return bare;
    bare = within.trim();
  }
  return bare;
}

/** Whether a quote stands at an end of a text: one that has lost its other half, and that nobody can mean. */
export function hasStrayQuote(text: string): boolean {
  return /^["'`]|["'`]$/.test(text);
}
