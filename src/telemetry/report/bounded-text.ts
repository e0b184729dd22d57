/**
 * Cuts a text that a caller or a provider chose at so many characters. V8 keeps a whole text alive for a part of it, so that the part is
 * copied.
 */
export function boundedText(text: string, length: number): string {
  return text.length > length ? Buffer.from(text.slice(0, length)).toString() : text;
}
