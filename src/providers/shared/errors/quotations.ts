/** Marks that open a quotation, with those that close it. */
const CLOSING: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["'", "'"],
  ['`', '`'],
  ['“', '”'],
  ['‘', '’'],
  ['«', '»'],
]);

/** What stands before a quotation, so that the apostrophe of "model's" opens none; and behind one. */
const BEFORE = /[\s([{:=,]/;
const BEHIND = /[\s.,;:!?)\]}]/;

/**
 * Replaces quotations of more than one word by `…`: they may repeat what a caller wrote. Single words are kept, such as the name of
 * a model. One that is never closed is none, unless the text is cut. Takes time in proportion to the text.
 */
export function withoutQuotations(text: string, isCut = false): string {
  const never = new Set<string>();
  let kept = '';
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const mark = text.charAt(at);
    const closing = CLOSING.get(mark);
    if (closing === undefined || never.has(mark)) continue;
    const isApostrophe = mark === "'" && at > 0 && !BEFORE.test(text.charAt(at - 1));
    if (isApostrophe) continue;
    const end = endOf(text, at + 1, closing);
    if (end === -1 && isCut) return `${kept}${text.slice(from, at)}…`;
    if (end === -1) {
      never.add(mark);
      continue;
    }
    if (/\S\s+\S/.test(text.slice(at + 1, end))) {
      kept += `${text.slice(from, at)}…`;
      from = end + 1;
    }
    at = end;
  }
  return kept + text.slice(from);
}

function endOf(text: string, from: number, closing: string): number {
  let end = text.indexOf(closing, from);
  if (closing !== "'") return end;
  while (end !== -1 && end + 1 < text.length && !BEHIND.test(text.charAt(end + 1))) end = text.indexOf("'", end + 1);
  return end;
}
