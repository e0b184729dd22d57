import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const MODULE = new URL('../../src/cli/compilers.ts', import.meta.url).href;
/** Long enough that V8 does not take it for a small function, of which it inlines any number. */
const LONG = Array.from({ length: 40 }, (_, index) => `if (value === ${index}) value += other;`).join('\n');
const PROGRAM = `
  const { tuneCompilers } = await import(${JSON.stringify(MODULE)});
  tuneCompilers();
  function called(value, other) { ${LONG} return value; }
  for (let call = 0; call < 2500; call++) called(call % 50, call);
`;

/** What V8 says of the compilation of a function that is called 2,500 times. */
async function compilations(): Promise<readonly string[]> {
  const flags = ['--no-concurrent-recompilation', '--trace-opt', '--no-use-osr'];
  const { stdout, stderr } = await run(process.execPath, [...flags, '--input-type=module', '--eval', PROGRAM]);
  // V8 complains of flags that it does not know.
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => /completed compiling.*<JSFunction called /.test(line));
}

test('what is called some thousand times is compiled by TurboFan, and by nothing before', async () => {
  const lines = await compilations();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('target TURBOFAN');
});
