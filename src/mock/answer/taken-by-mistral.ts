import { listOf, objectOf } from './fields.ts';

const ID = /^[A-Za-z0-9]{9}$/;

/** Whether Mistral takes a request: the ids of calls, and of their results, are nine letters and digits. */
export function isTakenByMistral(body: Readonly<Record<string, unknown>>): boolean {
  return listOf(body['messages'])
    .map(objectOf)
    .every(
      ({ tool_call_id: id, tool_calls: calls }) =>
        (id === undefined || isTakenId(id)) && listOf(calls).every((call) => isTakenId(objectOf(call)['id'])),
    );
}

function isTakenId(id: unknown): boolean {
  return typeof id === 'string' && ID.test(id);
}
