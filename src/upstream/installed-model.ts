import type { Reply } from './ask.ts';

/** Returns the first of an Ollama's installed models from its list, `{"models": [{"name": "llama3.2:latest"}]}`; undefined where there is none. */
export function installedModel(reply: Reply | undefined): string | undefined {
  if (reply?.status !== 200) return undefined;
  try {
    const list: unknown = JSON.parse(reply.body);
    const models = typeof list === 'object' && list !== null && 'models' in list ? list.models : undefined;
    const first: unknown = Array.isArray(models) ? models[0] : undefined;
    const name = typeof first === 'object' && first !== null && 'name' in first ? first.name : undefined;
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined;
  }
}
