/** Headers in which providers name a call: OpenAI and most others, Anthropic, Azure, DeepSeek. The most telling first. */
const HEADERS = ['x-request-id', 'request-id', 'apim-request-id', 'x-ds-trace-id', 'x-deepseek-request-id'] as const;

const PLAIN = /^[A-Za-z0-9._:-]{1,128}$/;

/** Finds the provider's id of a call. An id of other characters than `A-Za-z0-9._:-`, or of more than 128, is left out. */
export function providerRequestId(headers: Readonly<Record<string, string>>): string | undefined {
  for (const name of HEADERS) {
    const value = headers[name];
    if (value !== undefined && PLAIN.test(value)) return value;
  }
  return undefined;
}
