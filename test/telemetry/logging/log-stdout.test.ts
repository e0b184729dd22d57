import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

import { describe, expect, test } from 'vitest';

const LOG = new URL('../../../src/telemetry/logging/log.ts', import.meta.url).href;
const ENDS = new URL('../ends.ts', import.meta.url).href;
const TURN_ON = `import { createCallLog } from '${LOG}'; import { okEnd } from '${ENDS}'; const log = createCallLog({ wall: () => Date.now() });`;
/** Writes once standard input has said that standard output is closed, and again after that has failed. */
const WRITE_UNTIL_TOLD = `
  process.stdin.once('data', () => {
    process.stdout.once('error', () => {
      log.callEnded(okEnd());
      process.stdin.destroy();
    });
    log.callEnded(okEnd());
  });
`;

/** Runs a program in a process of its own and returns the lines of its standard output. */
async function linesOf(program: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', `${TURN_ON} ${program}`],
    { maxBuffer: 64 * 1_048_576 },
  );
  expect(stderr).toBe('');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the log on standard output', () => {
  test('is flushed when the process ends by itself', async () => {
    const lines = await linesOf(`log.info('started'); log.callEnded(okEnd());`);
    expect(lines.map(({ msg }) => msg)).toEqual(['started', 'call ended']);
  });

  test('is flushed when the process is ended', async () => {
    const lines = await linesOf(`log.callEnded(okEnd()); log.flush(); log.info('last'); process.exit(0);`);
    expect(lines.map(({ msg }) => msg)).toEqual(['call ended', 'last']);
  });

  test('survives a reader that has gone', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', `${TURN_ON} ${WRITE_UNTIL_TOLD}`]);
    child.stdout.destroy();
    child.stdin.write('broken\n');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  });

  test('drops what exceeds its buffer, and says so', async () => {
    const lines = await linesOf(`const text = 'x'.repeat(10_000); for (let i = 0; i < 2_000; i++) log.info(text);`);
    const last = lines.at(-1);
    expect(last).toMatchObject({ level: 'warn' });
    const dropped = Number(last?.['understudy.lines_dropped']);
    expect(dropped).toBeGreaterThan(1_000);
    expect(lines.length - 1 + dropped).toBe(2_000);
  });
});
