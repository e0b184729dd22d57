import { COMPATIBLE_PROVIDERS } from '../core/provider.ts';

/** What the command line says. */
export interface Arguments {
  /** Whether the mock may answer where no provider is configured. */
  readonly demo: boolean;
  readonly help: boolean;
  readonly version: boolean;
  /** Path of the config file. */
  readonly config?: string | undefined;
}

const COMPATIBLE_PREFIXES = COMPATIBLE_PROVIDERS.map(({ name }) => name.toUpperCase());

const COMPATIBLE_LINES = COMPATIBLE_PREFIXES.map(
  (prefix) => `  ${`${prefix}_API_KEY`.padEnd(23)} optional ${prefix}_BASE_URL\n`,
).join('');

const COMPATIBLE_MODELS = COMPATIBLE_PREFIXES.map((prefix) => `, ${prefix}_MODEL`).join('');

/** Lists flags and variables, for `--help`. */
export const HELP = `Usage: understudy [--demo] [--config FILE]

  --demo          answer from a mock, or from Ollama on this machine, where no provider is configured
  --config FILE   read this YAML or JSON file (also: UNDERSTUDY_CONFIG)
  --help          print this
  --version       print the version

Providers are found in the environment, and are tried in this order:

  AZURE_OPENAI_API_KEY, AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_DEPLOYMENT   Azure OpenAI: all three
  OPENAI_API_KEY          OpenAI; optional OPENAI_ORG_ID, OPENAI_BASE_URL
  ANTHROPIC_API_KEY       Anthropic; optional ANTHROPIC_BASE_URL
  DEEPSEEK_API_KEY        DeepSeek; optional DEEPSEEK_BASE_URL
  OLLAMA_BASE_URL         Ollama, such as http://localhost:11434
${COMPATIBLE_LINES}
  AZURE_OPENAI_MODEL, OPENAI_MODEL, ANTHROPIC_MODEL, DEEPSEEK_MODEL, OLLAMA_MODEL${COMPATIBLE_MODELS}
                          the provider's default model

  UNDERSTUDY_MOCK=1                    every target answers from the mock, without network
  UNDERSTUDY_CONFIG                    path of the config file; its targets replace those above
  UNDERSTUDY_GRPC_ADDRESS              default 127.0.0.1:50051
  UNDERSTUDY_HTTP_ADDRESS              default 127.0.0.1:8080
  UNDERSTUDY_ADMIN_ADDRESS             default 127.0.0.1:9464
  UNDERSTUDY_ALLOW_UNAUTHENTICATED=1   allow addresses that other machines can reach
`;

/**
 * Reads the command line.
 *
 * @param argv - what follows the name of the program
 * @returns what it says, or one sentence about what is wrong with it
 */
export function parseArguments(argv: readonly string[]): Arguments | string {
  let demo = false;
  let help = false;
  let version = false;
  let config: string | undefined;
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? '';
    const equals = argument.startsWith('--') ? argument.indexOf('=') : -1;
    const flag = equals < 0 ? argument : argument.slice(0, equals);
    if (flag === '--config') {
      if (equals < 0) at += 1;
      const value = equals < 0 ? argv[at] : argument.slice(equals + 1);
      if (value === undefined || value === '' || value.startsWith('--')) return '--config needs the path of a file';
      if (config !== undefined) return '--config was given twice';
      config = value;
    } else if (equals >= 0 && ['--demo', '--help', '--version'].includes(flag)) {
      return `${flag} takes no value`;
    } else if (flag === '--demo') demo = true;
    else if (flag === '--help' || flag === '-h') help = true;
    else if (flag === '--version') version = true;
    else if (/^-{1,2}[a-z][a-z-]{0,40}$/.test(flag)) return `${flag} is not a flag; --help lists them`;
    else return 'only flags are expected; --help lists them';
  }
  return { demo, help, version, config };
}
