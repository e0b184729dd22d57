import { env, stderr, stdout } from 'node:process';

import type { CommandLine } from './cli/command-line.ts';
import { useCompileCache } from './cli/compile-cache.ts';
import { tuneCompilers } from './cli/compilers.ts';
import { delayMemoryReducer } from './cli/memory-reducer.ts';
import { keepNewObjectsYoung } from './cli/new-objects.ts';
import { readPlainServe } from './cli/plain-serve.ts';
import { EXIT } from './cli/terminal/exit-status.ts';
import { keepTickShape } from './cli/tick-shape.ts';
import { UsageError } from './cli/usage-error.ts';
import { PACKAGE_VERSION } from './config/package-version.ts';
import { hideKeys, keysOf } from './config/port/hidden-keys.ts';
import { ConfigError } from './config/port/problem.ts';
import { system } from './system.ts';

/** For who has named no command, and maybe knows of none. */
const HINT = 'This serves, as `understudy serve` does; `understudy --help` has the other commands.\n';

// Sources of a program that is worked on change too often to be worth it.
const keepCompiled = import.meta.url.endsWith('.js') ? useCompileCache(env) : undefined;

try {
  await main();
} catch (error) {
  stderr.write(`${explain(error)}\n`);
  // A door that is open already would keep the process alive.
  process.exit(error instanceof UsageError ? EXIT.usage : EXIT.fault);
}

/** Does what the command line says. What a command needs is loaded when it is known which it is. */
async function main(): Promise<void> {
  const line = await readCommandLine(process.argv.slice(2));
  switch (line.name) {
    case 'print':
      stdout.on('error', endWithoutOutput);
      stdout.write(line.text);
      return;
    case 'serve': {
      // What has changed while it starts is read once it serves; until then a hang-up would end it.
      process.on('SIGHUP', () => undefined);
      const { serve } = await import('./serve.ts');
      await serve(line.flags);
      if (line.isImplied && stdout.isTTY) stderr.write(HINT);
      keepCompiled?.();
      tuneCompilers();
      keepNewObjectsYoung();
      delayMemoryReducer(system);
      keepTickShape();
      return;
    }
    case 'check': {
      const { checkConfig } = await import('./cli/check-config.ts');
      const result = await checkConfig(line.flags, PACKAGE_VERSION, system);
      stdout.on('error', endWithoutOutput);
      stdout.write(result.stdout);
      stderr.write(result.stderr);
      process.exitCode = result.status;
      return;
    }
    case 'keys create': {
      const { createKey } = await import('./cli/create-key.ts');
      const made = createKey(line.flags, system.wall());
      stdout.on('error', endWithoutOutput);
      stderr.write(made.stderr);
      stdout.write(made.stdout);
      return;
    }
    case 'generate':
    case 'chat':
    case 'health':
    case 'models':
    case 'usage': {
      const { runCall } = await import('./cli/calls/run-call.ts');
      // Timers of calls that were left must not hold the process.
      process.exit(await runCall(line, system));
    }
  }
}

/** Ends the process where its output cannot be written, or where nobody reads it any more. */
function endWithoutOutput({ code, message }: NodeJS.ErrnoException): never {
  if (code === 'EPIPE') process.exit(EXIT.outputClosed);
  stderr.write(`understudy: the output cannot be written (${code ?? message})\n`);
  process.exit(EXIT.fault);
}

async function readCommandLine(argv: readonly string[]): Promise<CommandLine> {
  const plain = readPlainServe(argv);
  if (plain !== undefined) return plain;
  const { parseCommandLine } = await import('./cli/program.ts');
  return parseCommandLine(argv, { env, version: PACKAGE_VERSION, columns: stdout.columns });
}

/** Says why the process ends. A wrong setting and an address that is taken are for the operator to read, without a stack. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  if (error instanceof UsageError) return `understudy: ${error.message}`;
  const isForOperator = error instanceof ConfigError || ('syscall' in error && error.syscall === 'listen');
  return hideKeys(isForOperator ? error.message : (error.stack ?? error.message), keysOf(env));
}
