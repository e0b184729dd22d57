import { isObject, listOf, objectOf } from '../shared/fields.ts';
import type { Json } from '../shared/fields.ts';

/** Whether Ollama can read a request: contents are texts, arguments of calls objects, and images base64. */
export function isTakenByOllama(body: Json): boolean {
  return listOf(body['messages'])
    .map(objectOf)
    .every(
      (message) =>
        typeof (message['content'] ?? '') === 'string' &&
        listOf(message['images']).every((image) => typeof image === 'string' && /^[\w+/]+=*$/.test(image)) &&
        listOf(message['tool_calls']).every((call) => isObject(objectOf(objectOf(call)['function'])['arguments'])),
    );
}
