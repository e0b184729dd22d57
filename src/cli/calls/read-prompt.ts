import type { Readable } from 'node:stream';

import { UsageError } from '../usage-error.ts';

/** Largest message of the gateway, in bytes. */
const MAX_BYTES = 20 * 1_048_576;

/** Stands for standard input. */
const STDIN = '-';

/**
 * Makes the prompt of the arguments, with standard input where they say `-`, or of standard input alone where there are none.
 * Standard input is left alone where it is not asked for: it may be open without anybody ever writing to it.
 *
 * @returns the prompt; undefined where there are no arguments and standard input is a terminal
 * @throws UsageError where it is empty, too large or not UTF-8
 */
export async function readPrompt(
  words: readonly string[],
  stdin: Readable & { readonly isTTY?: boolean },
  signal: AbortSignal,
): Promise<string | undefined> {
  if (words.length === 0 && stdin.isTTY) return undefined;
  const asksForInput = words.length === 0 || words.includes(STDIN);
  const input = asksForInput ? await readAll(stdin, signal) : '';
  const prompt = words.length === 0 ? input : words.map((word) => (word === STDIN ? input : word)).join(' ');
  if (prompt.trim() === '') throw new UsageError('the prompt is empty');
  return prompt;
}

async function readAll(stdin: Readable, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The signal has to end a read that nobody answers.
  const stop = (): void => void stdin.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stdin) {
      const part = Buffer.from(chunk);
      bytes += part.length;
      if (bytes > MAX_BYTES) throw new UsageError('standard input is larger than a message may be: 20 MiB');
      chunks.push(part);
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return text.replace(/\r?\n$/, '');
  } catch (error) {
    if (signal.aborted || error instanceof UsageError) throw error;
    throw new UsageError(
      error instanceof TypeError ? 'standard input is not UTF-8 text' : 'cannot read standard input',
    );
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
