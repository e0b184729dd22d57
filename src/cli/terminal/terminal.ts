import { isatty } from 'node:tty';
import { styleText } from 'node:util';

import type { Environment } from '../../config/port/resolved.ts';

/** A style of text on a terminal. */
type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** The streams of a process. */
export interface ProcessStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream & { readonly fd: number };
  readonly stderr: NodeJS.WriteStream & { readonly fd: number };
}

/** What a command says, and to whom. */
export interface Terminal extends ProcessStreams {
  /** Whether a person reads standard output. */
  readonly isTerminal: boolean;
  /** Writes words of a model or a document to standard output: as they are, on a terminal without what could control it. */
  print(text: string): void;
  /** Writes text of our own to standard output, styles included. */
  draw(text: string): void;
  /** Writes lines for a person to standard error. No known key is in them. */
  tell(text: string): void;
  /** Writes to standard error as it comes, without a line break, and dimmed. */
  tellPart(text: string): void;
  /** Styles text for standard output, or for standard error, where that shows colours. */
  style(style: Style, text: string, to?: 'stdout' | 'stderr'): string;
  /** Resolves when all that was written has left the process. */
  flushed(): Promise<void>;
}

/** Shorter values of variables for keys are no secrets, and would be found in harmless words. */
const SHORTEST_SECRET = 8;

/** Controls other than tab and line break, which on a terminal could move the cursor, set titles or worse. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g;

/** Removes what could control a terminal, whoever wrote it. */
function withoutControls(text: string): string {
  return text.replaceAll(CONTROLS, '');
}

/**
 * Opens the terminal of a process.
 *
 * @param secrets - what must not be shown; may grow
 * @param color - false for no colours
 */
export function openTerminal(
  { stdin, stdout, stderr }: ProcessStreams,
  env: Environment,
  secrets: readonly string[],
  color: boolean,
): Terminal {
  const isTerminal = isatty(stdout.fd);
  const colors = { stdout: color && showsColors(stdout.fd, env), stderr: color && showsColors(stderr.fd, env) };
  const style: Terminal['style'] = (name, text, to = 'stdout') =>
    colors[to] ? styleText(name, text, { validateStream: false }) : text;
  return {
    stdin,
    stdout,
    stderr,
    isTerminal,
    print: (text) => void stdout.write(isTerminal ? withoutControls(text) : text),
    draw: (text) => void stdout.write(text),
    tell: (text) => void stderr.write(`${secrets.reduce(withoutSecret, text)}\n`),
    tellPart: (text) => void stderr.write(isatty(stderr.fd) ? style('dim', withoutControls(text), 'stderr') : text),
    style,
    flushed: async () => {
      await Promise.all([written(stdout), written(stderr)]);
      // Streams tell of a failure a tick later.
      await new Promise<void>((resolve) => process.nextTick(resolve));
    },
  };
}

/** Ids of requests look like keys, so that only what is known to be one is hidden. */
function withoutSecret(text: string, secret: string): string {
  return secret.length < SHORTEST_SECRET ? text : text.replaceAll(secret, '(hidden)');
}

/** Whether an output shows colours, by its file descriptor: on a terminal, unless NO_COLOR has a value (no-color.org) or the terminal has none. */
export function showsColors(descriptor: number, env: Environment): boolean {
  return isatty(descriptor) && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

async function written(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return;
  await new Promise<void>((resolve) => {
    stream.write('', () => resolve());
  });
}
