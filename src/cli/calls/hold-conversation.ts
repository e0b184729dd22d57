import { createInterface } from 'node:readline';

import { ConnectError } from '@connectrpc/connect';

import { EXIT } from '../terminal/exit-status.ts';
import type { Interruption } from '../terminal/interruption.ts';
import { type AskContext, streamReply } from './ask-once.ts';
import { type MessageToSend, messagesOf, requestOfFlags } from './request-of-flags.ts';
import { readCallError } from './call-error.ts';
import { tellError } from './told-error.ts';

const HELP = `/reset   begin a new conversation
/help    this
/exit    the end, as Ctrl-D
A line that ends with \\ goes on in the next. Ctrl-C stops an answer; where none is being written, it ends the conversation.`;

/** What {@link holdConversation} is told. */
export interface ConversationOptions extends Omit<AskContext, 'signal'> {
  readonly interruption: Interruption;
  /** The gateway, for people. */
  readonly address: string;
  /** Makes the name of a conversation. */
  readonly newId: () => string;
}

/**
 * Holds a conversation with whoever is at the terminal, until they end it. A question that failed or was stopped is as if it had not
 * been asked.
 */
export async function holdConversation(options: ConversationOptions): Promise<void> {
  const { terminal, flags, interruption, address, newId } = options;
  const { stdin, stdout, stderr } = terminal;
  // What is asked is no part of the output where that is a file.
  const output = terminal.isTerminal ? stdout : stderr;
  const input = createInterface({ input: stdin, output, terminal: true });
  const lines = new Lines();
  let answering: AbortController | undefined;
  const stop = (): void => {
    answering?.abort();
    input.close();
  };
  interruption.signal.addEventListener('abort', stop, { once: true });
  input.on('line', (line) => lines.add(line));
  input.on('close', () => lines.end());
  input.on('SIGINT', () => {
    if (answering === undefined) interruption.interrupt(EXIT.interrupted);
    else answering.abort();
  });
  terminal.tell(terminal.style('dim', `Talking to ${address}. /help says how, Ctrl-D ends it.`, 'stderr'));

  let conversation = newId();
  let said: MessageToSend[] = [];
  try {
    for (;;) {
      const prompt = await nextPrompt(input, lines);
      // What comes next on the terminal begins at the left.
      if (prompt === undefined) output.write('\n');
      if (prompt === undefined || ['/exit', '/quit', '/bye'].includes(prompt)) return;
      if (prompt === '') continue;
      if (prompt === '/reset') {
        said = [];
        conversation = newId();
        continue;
      }
      if (/^\/[a-z]+$/.test(prompt)) {
        terminal.tell(prompt === '/help' ? HELP : `${prompt} is not known\n${HELP}`);
        continue;
      }
      answering = new AbortController();
      const { system, ...request } = requestOfFlags(flags, conversation);
      const messages = messagesOf(system, said, prompt);
      const asked = messages.at(-1);
      try {
        const reply = await streamReply({ ...request, messages }, { ...options, signal: answering.signal });
        if (asked !== undefined) said = [...said, asked, reply.message];
      } catch (error) {
        if (interruption.signal.aborted) return;
        if (!(error instanceof ConnectError)) throw error;
        if (answering.signal.aborted) terminal.tell(terminal.style('dim', '(stopped)', 'stderr'));
        else tellError(readCallError(error), address, terminal, flags.json ?? false);
      } finally {
        answering = undefined;
      }
    }
  } finally {
    interruption.signal.removeEventListener('abort', stop);
    input.close();
  }
}

/** Asks for a line, and for the next where it ends with a backslash; undefined at the end of the input. */
async function nextPrompt(input: ReturnType<typeof createInterface>, lines: Lines): Promise<string | undefined> {
  let whole = '';
  for (;;) {
    input.setPrompt(whole === '' ? '> ' : '… ');
    input.prompt();
    const line = await lines.next();
    if (line === undefined) return undefined;
    if (!line.endsWith('\\')) return `${whole}${line}`.trim();
    whole += `${line.slice(0, -1)}\n`;
  }
}

/** Lines that were typed, some maybe while nobody asked for one. */
class Lines {
  readonly #waiting: string[] = [];
  #hasEnded = false;
  #taker: ((line: string | undefined) => void) | undefined;

  add(line: string): void {
    this.#waiting.push(line);
    this.#pass();
  }

  end(): void {
    this.#hasEnded = true;
    this.#pass();
  }

  /** Resolves to the next line; undefined behind the last. */
  async next(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#taker = resolve;
      this.#pass();
    });
  }

  #pass(): void {
    const taker = this.#taker;
    if (taker === undefined || (this.#waiting.length === 0 && !this.#hasEnded)) return;
    this.#taker = undefined;
    taker(this.#waiting.shift());
  }
}
