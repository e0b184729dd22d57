import { Command, CommanderError, Option } from 'commander';

import { hideKeys, keysOf } from '../config/port/hidden-keys.ts';
import type { Environment } from '../config/port/resolved.ts';
import { LOG_FORMATS } from '../telemetry/logging/line-format.ts';
import type { AskFlags, CheckFlags, CommandLine, HealthFlags, ModelsFlags, ServeFlags } from './command-line.ts';
import type { UsageFlags } from './command-line.ts';
import { CHAT_HELP, CHECK_HELP, GENERATE_HELP, HEALTH_HELP, MAIN_HELP, MODELS_HELP, SERVE_HELP } from './help-text.ts';
import { USAGE_HELP } from './help-text.ts';
import {
  appendValue,
  readDecimal,
  readFlagDuration,
  readGroupings,
  readPath,
  readUtcTime,
  readWholeNumber,
} from './flag-values.ts';
import type { KeyFlags } from './create-key.ts';
import { UsageError } from './usage-error.ts';

const DEFAULT_ADDRESS = '127.0.0.1:50051';
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** What {@link parseCommandLine} is told besides the arguments. */
export interface ProgramOptions {
  readonly env: Environment;
  readonly version: string;
  /** Width of the terminal for help, in columns. Default 80. */
  readonly columns?: number | undefined;
}

/**
 * Reads a command line.
 *
 * @param argv - what follows the name of the program
 * @returns what it says; for `--help` and `--version` the text to print
 * @throws UsageError where it cannot be understood
 */
export function parseCommandLine(argv: readonly string[], { env, version, columns = 80 }: ProgramOptions): CommandLine {
  const found: CommandLine[] = [];
  let printed = '';
  const program = new Command('understudy')
    .description('An LLM provider gateway that speaks gRPC: serves, and calls one that serves.')
    .usage('COMMAND [flags]')
    .helpOption('-h, --help', 'print this')
    .version(version, '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        printed += text;
      },
      writeErr: () => {},
      getOutHelpWidth: () => Math.min(columns, 120),
      getOutHasColors: () => false,
    })
    .addHelpText('after', MAIN_HELP);

  const isImplied = impliesServe(argv);
  addServe(program, (flags) => found.push({ name: 'serve', flags, isImplied }));
  addCheck(program, (flags) => found.push({ name: 'check', flags }));
  addKeys(program, (flags) => found.push({ name: 'keys create', flags }));
  addAsk(program, 'generate', (words, flags) => found.push({ name: 'generate', words, flags }));
  addAsk(program, 'chat', (words, flags) => found.push({ name: 'chat', words, flags }));
  addHealth(program, (flags) => found.push({ name: 'health', flags }));
  addModels(program, (flags) => found.push({ name: 'models', flags }));
  addUsage(program, (flags) => found.push({ name: 'usage', flags }));

  const addressOfEnv = env['UNDERSTUDY_ADDRESS']?.trim();
  for (const command of program.commands.filter(({ options }) => options.some(({ long }) => long === '--address'))) {
    if (addressOfEnv) command.setOptionValueWithSource('address', addressOfEnv, 'env');
  }
  try {
    program.parse(isImplied ? ['serve', ...argv] : argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw new UsageError(hideKeys(explainUsage(error, argv, program), keysOf(env)));
  }
  return found[0] ?? { name: 'print', text: printed };
}

/** Whether the flags of `serve` stand alone, as they always could. */
function impliesServe([first]: readonly string[]): boolean {
  return first === undefined || (first.startsWith('-') && !['-h', '--help', '-V', '--version'].includes(first));
}

function addServe(program: Command, then: (flags: ServeFlags) => void): void {
  addConfigFlags(program.command('serve').description('open the doors and answer calls'))
    .addOption(
      new Option('--log-format <format>', 'text for people, json for machines; auto: text on a terminal')
        .choices(LOG_FORMATS)
        .default('auto'),
    )
    .addHelpText('after', SERVE_HELP)
    .action(then);
}

function addCheck(program: Command, then: (flags: CheckFlags) => void): void {
  addConfigFlags(program.command('check').description('load the configuration, and say what is wrong with it'))
    .option('--json', 'print one JSON document')
    .addHelpText('after', CHECK_HELP)
    .action(then);
}

function addKeys(program: Command, then: (flags: KeyFlags) => void): void {
  program
    .command('keys')
    .description('make API keys for callers')
    .command('create')
    .description('make an API key: prints it once, and the line that makes it known')
    .requiredOption('--caller <name>', 'whose key it is')
    .option('--expires <when>', 'an instant, such as 2030-01-31T12:00:00Z, or a time from now, such as 90d or 12h')
    .option('--name <text>', 'for people, such as who holds it')
    .option('--file <file>', 'add the line to this file of keys (api_keys_file)', readPath)
    .action(then);
}

function addAsk(
  program: Command,
  name: 'generate' | 'chat',
  then: (words: readonly string[], flags: AskFlags) => void,
): void {
  const isChat = name === 'chat';
  const command = program
    .command(name)
    .description(isChat ? 'ask, or hold a conversation' : 'answer one prompt')
    .usage('[flags] [PROMPT...]')
    .argument('[prompt...]', 'the prompt; - stands for standard input')
    .optionsGroup('Request:')
    .option('-s, --system <text>', 'instructions that stand before the prompt')
    .option('-m, --model <model>', 'a model, or target/model')
    .option('-r, --route <name>', 'a route of the configuration')
    .option('-t, --target <name>', 'a target, or target/model, to try; several in their order', appendValue)
    .option('--max-tokens <n>', 'most tokens to write, reasoning included', readWholeNumber)
    .option('--temperature <n>', 'sampling temperature, 0 to 2', readDecimal)
    .addOption(new Option('--reasoning-effort <level>', 'how much to reason').choices(EFFORTS))
    .option('--schema <file>', 'answer with JSON of this JSON Schema')
    .option('--strict', 'with --schema: an answer that does not match it is a failure')
    .option('--restart', 'let an answer that breaks off begin anew')
    .option('--retries <n>', 'most repeats of a call that has cost nothing', readWholeNumber, 0)
    .optionsGroup('Output:')
    .option('--stream', `show words as they come${isChat ? ' (default)' : ' (default on a terminal)'}`)
    .option('--no-stream', 'show the whole answer')
    .option('--json', isChat ? 'one JSON line for each event' : 'one JSON document')
    .option('--show-reasoning', 'show reasoning, on standard error')
    .option('-v, --verbose', 'tell tokens, cost and what was tried, on standard error');
  addConnectionFlags(command, isChat ? '600s; with --no-stream 120s' : '120s; with --stream 600s');
  command.addHelpText('after', isChat ? CHAT_HELP : GENERATE_HELP).action(then);
}

function addHealth(program: Command, then: (flags: HealthFlags) => void): void {
  const command = program
    .command('health')
    .description('tell how the targets are doing')
    .optionsGroup('Output:')
    .option('-w, --watch', 'go on, and show what changes')
    .addOption(
      new Option('--interval <time>', 'time between two looks').default(2_000, '2s').argParser(readFlagDuration),
    )
    .option('--service <name>', 'ask grpc.health.v1 about this service')
    .option('--strict', 'fail unless every target can be used')
    .option('--json', 'print one JSON document; with --watch a line for each change');
  addConnectionFlags(command, '5s');
  command.addHelpText('after', HEALTH_HELP).action(then);
}

function addModels(program: Command, then: (flags: ModelsFlags) => void): void {
  const command = program
    .command('models')
    .description('list the models that requests may name')
    .optionsGroup('Output:')
    .option('-t, --target <name>', 'only those of this target')
    .option('--json', 'print one JSON document');
  addConnectionFlags(command, '120s');
  command.addHelpText('after', MODELS_HELP).action(then);
}

function addUsage(program: Command, then: (flags: UsageFlags) => void): void {
  const command = program
    .command('usage')
    .description('tell what was used and spent')
    .optionsGroup('Question:')
    .option('--from <time>', 'from this time on (default: the beginning of the month)', readUtcTime)
    .option('--to <time>', 'before this time (default: now)', readUtcTime)
    .addOption(new Option('--by <list>', 'what tells rows apart').default('caller,model').argParser(readGroupings))
    .option('--caller <name>', 'only this caller')
    .option('--request <id>', 'list the attempts of this request instead')
    .optionsGroup('Output:')
    .option('--csv', 'print CSV')
    .option('--json', 'print one JSON document');
  addConnectionFlags(command, '60s');
  command
    .option('--admin <address>', 'ask this admin listener, about all callers')
    .addHelpText('after', USAGE_HELP)
    .action(then);
}

function addConfigFlags(command: Command): Command {
  return command
    .option('--demo', 'answer from a mock, or from Ollama on this machine, where no provider is configured')
    .option('--config <file>', 'read this YAML or JSON file (also: UNDERSTUDY_CONFIG)', readPath);
}

function addConnectionFlags(command: Command, timeout: string): void {
  command
    .option('--no-color', 'no colours')
    .optionsGroup('Connection:')
    .option('-a, --address <address>', 'host:port, or https://host:port for TLS', DEFAULT_ADDRESS)
    .option('--timeout <time>', `deadline, such as 500ms, 30s or 2m (default: ${timeout})`, readFlagDuration)
    .option('-H, --header <header>', 'metadata, such as "x-request-id: 1"; several', appendValue)
    .option('--api-key-file <file>', 'read the API key from this file instead of UNDERSTUDY_API_KEY')
    .option('--allow-plaintext-key', 'send the API key without TLS to another machine')
    .option('--ca <file>', 'authorities to trust, in PEM')
    .option('--cert <file>', 'own certificate, in PEM')
    .option('--key <file>', 'private key of --cert, in PEM')
    .option('--server-name <name>', 'name that the certificate of the gateway must have')
    .optionsGroup('');
}

/** Says in one sentence what is wrong. Arguments that no flag announced are not repeated: they may be anything. */
function explainUsage({ code, message }: CommanderError, argv: readonly string[], program: Command): string {
  const named = program.commands.find((command) => command.name() === argv[0])?.name();
  const help = `\`understudy ${named === undefined ? '' : `${named} `}--help\` lists them`;
  const suggested = /\(Did you mean (.+)\?\)$/.exec(message)?.[1];
  const suggestion = suggested === undefined ? '' : `; did you mean ${suggested}?`;
  if (code === 'commander.unknownOption') {
    const flag = /'(-{1,2}[A-Za-z][\w-]{0,40})/.exec(message)?.[1] ?? 'what begins with -';
    const later = program.commands.find((command) => named === undefined && argv.includes(command.name()))?.name();
    const place = later === undefined ? '' : `; flags stand behind the command: understudy ${later} ${flag}`;
    return `${flag} is not a flag${place || suggestion || `; ${help}`}`;
  }
  // `help` behind which no command stands.
  if (code === 'commander.unknownCommand' || code === 'commander.help') {
    const command = /'([a-z][a-z-]{0,20})'/.exec(message)?.[1];
    return `${command === undefined ? 'that' : `"${command}"`} is not a command${suggestion || `; ${help}`}`;
  }
  if (code === 'commander.excessArguments') return `only flags are expected; ${help}`;
  return message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
}
