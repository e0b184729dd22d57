import { COMPATIBLE_PROVIDERS } from '../core/provider.ts';

const COMPATIBLE_PREFIXES = COMPATIBLE_PROVIDERS.map(({ name }) => name.toUpperCase());

const COMPATIBLE_LINES = COMPATIBLE_PREFIXES.map(
  (prefix) => `  ${`${prefix}_API_KEY`.padEnd(23)} optional ${prefix}_BASE_URL\n`,
).join('');

const COMPATIBLE_MODELS = COMPATIBLE_PREFIXES.map((prefix) => `, ${prefix}_MODEL`).join('');

const EXIT_STATUS = `
Exit status:
  0    done
  1    a fault of the gateway or of this command, or a configuration that is wrong
  2    the command line, the prompt or a file that it names cannot be used
  3    the gateway refuses the request: wrong, unknown model, no access
  4    the gateway cannot be reached or has no room, or no provider has answered
  5    time was up
  130  interrupted (Ctrl-C); 143 terminated; 141 nobody reads the output any more
`;

const CONNECTION_VARIABLES = `
Environment:
  UNDERSTUDY_ADDRESS   the gateway, as --address
  UNDERSTUDY_API_KEY   sent as Authorization: Bearer; there is no flag for it, which others could read
  TRACEPARENT          sent as traceparent, so that the call is part of that trace
  NO_COLOR             no colours, on a terminal either
`;

/** Stands behind the list of commands. */
export const MAIN_HELP = `
Without a command it serves; the flags of serve may then stand alone: understudy --demo

  --demo                answer from a mock, or from Ollama on this machine, where no provider is configured
  --config FILE         read this YAML or JSON file (also: UNDERSTUDY_CONFIG)
  --log-format FORMAT   auto, text or json

Examples:
  understudy serve --demo
  understudy chat "Say hello."
  git diff | understudy generate --system "Write a commit message." --max-tokens 200
  understudy generate --json --schema city.json "The capital of Italy?" | jq -r .text
  understudy health --watch
  understudy keys create --caller billing --expires 90d

\`understudy help COMMAND\` has the flags of a command; \`understudy help serve\` the variables of providers.
${EXIT_STATUS}`;

/** Stands behind the flags of `serve`. */
export const SERVE_HELP = `
Providers are found in the environment, and are tried in this order:

  AZURE_OPENAI_API_KEY, AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_DEPLOYMENT   Azure OpenAI: all three
  OPENAI_API_KEY          OpenAI; optional OPENAI_ORG_ID, OPENAI_BASE_URL
  ANTHROPIC_API_KEY       Anthropic; optional ANTHROPIC_BASE_URL
  DEEPSEEK_API_KEY        DeepSeek; optional DEEPSEEK_BASE_URL
  OLLAMA_BASE_URL         Ollama, such as http://localhost:11434
${COMPATIBLE_LINES}
  AZURE_OPENAI_MODEL, OPENAI_MODEL, ANTHROPIC_MODEL, DEEPSEEK_MODEL, OLLAMA_MODEL${COMPATIBLE_MODELS}
                          the provider's default model

  HTTPS_PROXY, HTTP_PROXY, NO_PROXY    proxies on the way to providers, as curl takes them
  NODE_EXTRA_CA_CERTS, SSL_CERT_FILE   authorities besides those of Node, or in their place
  AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_SECRET
                                       Azure OpenAI by Microsoft Entra, in place of a key

  UNDERSTUDY_MOCK=1                    every target answers from the mock, without network
  UNDERSTUDY_CONFIG                    path of the config file; its targets replace those above
  UNDERSTUDY_GRPC_ADDRESS              default 127.0.0.1:50051
  UNDERSTUDY_HTTP_ADDRESS              default 127.0.0.1:8080
  UNDERSTUDY_ADMIN_ADDRESS             default 127.0.0.1:9464
  UNDERSTUDY_ALLOW_UNAUTHENTICATED=1   allow addresses that other machines can reach
  UNDERSTUDY_LOG_LEVEL                 least level of log lines: info (default), warn or error
`;

/** Stands behind the flags of `check`. */
export const CHECK_HELP = `
Loads what serve would load, with all variables put in, and lists targets, keys (whether there is one), routes and addresses. Opens
no door and calls no provider. Ends with 1 where serve would not start, or would have no target to call.
`;

/** Stands behind the flags of `generate`. */
export const GENERATE_HELP = `
The prompt is what stands behind the flags; without it, or where it is -, standard input is read.
On a terminal the words are shown as they come (StreamChat). A pipe or a file gets the whole answer or nothing (Generate);
--stream and --no-stream say otherwise. --json prints one document, and with --stream one line for each event.
${CONNECTION_VARIABLES}${EXIT_STATUS}`;

/** Stands behind the flags of `chat`. */
export const CHAT_HELP = `
The prompt is what stands behind the flags; without it, or where it is -, standard input is read. Without a prompt on a terminal
it is a conversation: /help says how, Ctrl-D ends it.
The words are shown as they come (StreamChat), or with --no-stream together (Chat). --json prints one line for each event, and
with --no-stream one document. An answer that --restart may discard goes to a pipe or a file when it is complete.
${CONNECTION_VARIABLES}${EXIT_STATUS}`;

/** Stands behind the flags of `health`. */
export const HEALTH_HELP = `
Ends with 0 while at least one target can be used, with --strict only while all can, and with 4 otherwise.
--service asks grpc.health.v1 instead: "" for the gateway, readiness, liveness, understudy.target.NAME.
--watch shows each change until Ctrl-C.
${CONNECTION_VARIABLES}${EXIT_STATUS}`;

/** Stands behind the flags of `usage`. */
export const USAGE_HELP = `
Times are RFC 3339, or days or months of UTC: 2026-11-30, 2026-11. The gateway tells a caller of its own usage; --admin asks the admin
listener, which tells of everybody's. --csv has the columns of /usage.csv there, --json those of GetUsage.
${CONNECTION_VARIABLES}${EXIT_STATUS}`;

/** Stands behind the flags of `models`. */
export const MODELS_HELP = `
Windows are in tokens, prices in USD per million tokens; * is what a target uses where a request names no model.
${CONNECTION_VARIABLES}${EXIT_STATUS}`;
