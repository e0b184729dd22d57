/** Returns the first event of the status page's stream, which has all that it shows, as text. */
export async function firstStatus(admin: string): Promise<string> {
  const leave = new AbortController();
  const { body } = await fetch(`${admin}/status`, { signal: leave.signal });
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (/^data: .*\n\n/m.test(text)) break;
  }
  leave.abort();
  return text;
}
