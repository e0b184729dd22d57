import { listOf, objectOf } from '../shared/fields.ts';
import type { Json } from '../shared/fields.ts';

/** Whether the ids of calls, and of their results, have the form that a provider takes. */
export function hasTakenIds(body: Json, form: RegExp): boolean {
  const isTaken = (id: unknown): boolean => typeof id === 'string' && form.test(id);
  return listOf(body['messages'])
    .map(objectOf)
    .every(
      ({ tool_call_id: id, tool_calls: calls }) =>
        (id === undefined || isTaken(id)) && listOf(calls).every((call) => isTaken(objectOf(call)['id'])),
    );
}
