/**
 * Fields of the providers' own requests that make them charge for more than the tokens of what is sent and of one answer: prompts that
 * they keep, work behind the answer, other models, searches, programs that they run, and sound.
 */
const UNCOUNTED = [
  'audio',
  'background',
  'container',
  'conversation',
  'fallbacks',
  'mcp_servers',
  'models',
  'plugins',
  'previous_response_id',
  'prompt',
  'search_parameters',
  'web_search_options',
] as const;

/** Tools that callers run themselves; all others are run by the provider, for money of their own and as often as the model likes. */
const RUN_BY_CALLERS = /^(?:function|custom|(?:bash|text_editor|computer|memory)_\d+)$/;

/** Returns the field of a provider's own request that asks for what is not counted in tokens; undefined where none does. */
export function uncountedField(own: object): string | undefined {
  const fields = new Map<string, unknown>(Object.entries(own));
  const found = UNCOUNTED.find((name) => (fields.get(name) ?? false) !== false);
  if (found !== undefined) return found;
  const tools: unknown = fields.get('tools');
  return Array.isArray(tools) && tools.some(isRunByProvider) ? 'tools' : undefined;
}

function isRunByProvider(tool: unknown): boolean {
  const type: unknown = new Map<string, unknown>(Object.entries(Object(tool))).get('type') ?? 'function';
  return typeof type !== 'string' || !RUN_BY_CALLERS.test(type);
}
