import { describe, expect, test } from 'vitest';

import { configErrorOf, loadText } from '../loading.ts';

const ADDRESS_RULE = 'must be host:port, such as 127.0.0.1:50051, localhost:50051 or [::1]:50051';

const target = (fields: string) => `targets: [{ name: a, provider: mock, ${fields} }]`;
const openai = (fields: string) => `targets: [{ name: a, provider: openai, ${fields} }]`;

describe('a variable in a file', () => {
  test('may stand in the middle of a text, and is not looked through itself', () => {
    const text = 'targets: [{ name: "a-${N}", provider: mock, model: "x-${M}-${N}" }]';
    const [target] = loadText(text, { N: '1', M: '${N}' }).targets;
    expect([target?.name, target?.model]).toEqual(['a-1', 'x-${N}-1']);
  });

  test.each([
    [openai('api_key: "${UNSET}"'), 'targets[0].api_key: the environment variable UNSET is not set'],
    [openai('api_key: "${EMPTY}"'), 'targets[0].api_key: the environment variable EMPTY is not set'],
    [target('mock: "${SECRET}"'), 'targets[0].mock: must be true or false, not "${SECRET}"'],
    ['server: { grpc_address: "${SECRET}" }', `server.grpc_address: ${ADDRESS_RULE}, not "\${SECRET}"`],
    [target('model: "${UNSET}"'), 'targets[0].model: the environment variable UNSET is not set'],
    [
      target('model: "${1X}"'),
      'targets[0].model: `${` must be followed by the name of a variable, or by `file:` and a path, and `}`',
    ],
    [
      target('model: "${SECRET"'),
      'targets[0].model: `${` must be followed by the name of a variable, or by `file:` and a path, and `}`',
    ],
  ])('is refused where it is missing, misspelt or misplaced, and is not shown: %j', (file, message) => {
    expect(configErrorOf(() => loadText(file, { SECRET: 'hidden', EMPTY: '' }))).toBe(message);
  });
});
