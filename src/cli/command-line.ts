import type { KeyFlags } from './create-key.ts';
import type { LogFormat } from '../telemetry/logging/line-format.ts';

/** Where the gateway is and how it is reached. */
export interface ConnectionFlags {
  /** `host:port`, `http://host:port` or `https://host:port`. */
  readonly address: string;
  /** Path of a file with the API key; wins over `UNDERSTUDY_API_KEY`. */
  readonly apiKeyFile?: string | undefined;
  /** Paths of PEM files: authorities to trust, own certificate and its key. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Name that the gateway's certificate must have. */
  readonly serverName?: string | undefined;
  /** Whether the API key may go over plaintext to another machine. */
  readonly allowPlaintextKey?: boolean | undefined;
  /** Metadata, each as `name: value`. */
  readonly header?: readonly string[] | undefined;
  /** Deadline in milliseconds; absent: that of the command. */
  readonly timeout?: number | undefined;
  readonly json?: boolean | undefined;
  readonly color?: boolean | undefined;
}

/** How an answer is asked for and shown. */
export interface AskFlags extends ConnectionFlags {
  readonly system?: string | undefined;
  readonly model?: string | undefined;
  readonly route?: string | undefined;
  readonly target?: readonly string[] | undefined;
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
  /** Name of a ReasoningEffort, in lower case. */
  readonly reasoningEffort?: string | undefined;
  /** Path of a JSON Schema. */
  readonly schema?: string | undefined;
  /** Whether an answer that does not match the schema is a failed one. */
  readonly strict?: boolean | undefined;
  readonly restart?: boolean | undefined;
  /** Whether words are shown as they come; absent: as suits the command and the output. */
  readonly stream?: boolean | undefined;
  /** Most repeats of a call that has cost nothing. */
  readonly retries: number;
  readonly showReasoning?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

/** How the state of the gateway is asked for and shown. */
export interface HealthFlags extends ConnectionFlags {
  readonly watch?: boolean | undefined;
  /** Milliseconds between two looks. */
  readonly interval: number;
  /** A service of `grpc.health.v1`, instead of the table. */
  readonly service?: string | undefined;
  /** Whether a target that cannot be used is a failure. */
  readonly strict?: boolean | undefined;
}

/** How the models are asked for and shown. */
export interface ModelsFlags extends ConnectionFlags {
  readonly target?: string | undefined;
}

/** How usage is asked for and shown. */
export interface UsageFlags extends ConnectionFlags {
  /** From when on and before when, in milliseconds since the epoch; absent: this month, and now. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** What tells rows apart, with commas: `caller,model`. */
  readonly by: string;
  readonly caller?: string | undefined;
  /** A request, whose attempts are listed instead. */
  readonly request?: string | undefined;
  readonly csv?: boolean | undefined;
  /** Address of the admin listener, which tells of all callers. */
  readonly admin?: string | undefined;
}

/** How the process serves. */
export interface ServeFlags {
  readonly config?: string | undefined;
  readonly demo?: boolean | undefined;
  readonly logFormat?: LogFormat | undefined;
}

/** What is checked. */
export interface CheckFlags {
  readonly config?: string | undefined;
  readonly demo?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** A command that calls a gateway. */
export type CallCommand =
  | { readonly name: 'generate' | 'chat'; readonly words: readonly string[]; readonly flags: AskFlags }
  | { readonly name: 'health'; readonly flags: HealthFlags }
  | { readonly name: 'models'; readonly flags: ModelsFlags }
  | { readonly name: 'usage'; readonly flags: UsageFlags };

/** What a command line says. */
export type CommandLine =
  /** `isImplied`: no command was named. */
  | { readonly name: 'serve'; readonly flags: ServeFlags; readonly isImplied: boolean }
  | { readonly name: 'check'; readonly flags: CheckFlags }
  | { readonly name: 'keys create'; readonly flags: KeyFlags }
  /** Help or version, for standard output. */
  | { readonly name: 'print'; readonly text: string }
  | CallCommand;
