import { ConnectError, createClient } from '@connectrpc/connect';

import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import { hideKeys, keysOf } from '../../config/port/hidden-keys.ts';
import type { System } from '../../core/ports.ts';
import type { CallCommand } from '../command-line.ts';
import { EXIT, type ExitStatus, exitStatusOf } from '../terminal/exit-status.ts';
import { type Interruption, watchInterruption } from '../terminal/interruption.ts';
import { openTerminal, type Terminal } from '../terminal/terminal.ts';
import { UsageError } from '../usage-error.ts';
import { askOnce } from './ask-once.ts';
import { readCallError } from './call-error.ts';
import { holdConversation } from './hold-conversation.ts';
import { connectToAdmin, connectToGateway, type GatewayConnection } from '../connection/gateway-connection.ts';
import { readPrompt } from './read-prompt.ts';
import { repeatWhereFree } from './repeat-where-free.ts';
import { showHealth } from './show-health.ts';
import { showModels } from './show-models.ts';
import { showUsage } from './show-usage.ts';
import { tellError } from './told-error.ts';

/**
 * Calls the gateway as a command says, with the streams and variables of this process.
 *
 * @returns with what the process ends; every failure of a call has been told by then
 */
export async function runCall(command: CallCommand, system: System): Promise<ExitStatus> {
  const secrets = keysOf(process.env);
  const terminal = openTerminal(process, process.env, secrets, command.flags.color ?? true);
  const interruption = watchInterruption(terminal, () => system.now());
  let status: ExitStatus;
  try {
    status = await call(command, { terminal, interruption, system, secrets });
  } finally {
    await terminal.flushed();
  }
  // An answer that could not be written was not given.
  return status === EXIT.ok ? (interruption.status ?? status) : status;
}

async function call(
  command: CallCommand,
  { terminal, interruption, system, secrets }: Omit<CallParts, 'connection'> & { readonly secrets: string[] },
): Promise<ExitStatus> {
  const { env } = process;
  const { flags, name } = command;
  let connection: GatewayConnection | undefined;
  try {
    const admin = 'admin' in flags ? flags.admin : undefined;
    connection = admin === undefined ? connectToGateway(flags, env) : connectToAdmin(admin, flags, env);
    secrets.push(...connection.secrets);
    return await carryOut(command, { connection, terminal, interruption, system });
  } catch (error) {
    if (interruption.status === undefined && error instanceof UsageError) {
      terminal.tell(`understudy ${name}: ${hideKeys(error.message, secrets)}`);
      return EXIT.usage;
    }
    if (interruption.status === undefined && error instanceof ConnectError) {
      const told = readCallError(error);
      tellError(told, connection?.address ?? flags.address, terminal, flags.json ?? false);
      // Whoever is not reached, for whatever reason, refuses nothing.
      return told.networkCode === '' ? exitStatusOf(told.code, told.reason) : EXIT.unavailable;
    }
    if (interruption.status === undefined) throw error;
    return interruption.status;
  } finally {
    connection?.close();
  }
}

interface CallParts {
  readonly connection: GatewayConnection;
  readonly terminal: Terminal;
  readonly interruption: Interruption;
  readonly system: System;
}

async function carryOut(command: CallCommand, parts: CallParts): Promise<ExitStatus> {
  const { connection, terminal, interruption, system } = parts;
  const { transport, address } = connection;
  const { signal } = interruption;
  if (command.name === 'health') {
    return showHealth({ transport, terminal, flags: command.flags, address, signal, timers: system });
  }
  if (command.name === 'usage') {
    await showUsage({ transport, flags: command.flags, terminal, signal });
    return interruption.status ?? EXIT.ok;
  }
  const client = createClient(LlmService, transport);
  if (command.name === 'models') {
    await showModels(client, command.flags, terminal, signal);
  } else {
    const { name, words, flags } = command;
    const prompt = await readPrompt(words, terminal.stdin, signal);
    signal.throwIfAborted();
    if (prompt !== undefined) {
      const ask = async (timeout: number | undefined): Promise<void> =>
        askOnce(name, prompt, { client, terminal, flags: { ...flags, timeout }, signal });
      await repeatWhereFree(ask, {
        retries: flags.retries,
        timeoutMs: flags.timeout,
        signal,
        timers: system,
        onRepeat: ({ code, reason }, waitMs) => {
          terminal.tell(`understudy: ${reason || code}: trying again in ${Math.ceil(waitMs)} ms`);
        },
      });
    } else if (name === 'generate') throw new UsageError('a prompt is needed, behind the flags or on standard input');
    else await holdConversation({ client, terminal, flags, interruption, address, newId: () => system.newId() });
  }
  return interruption.status ?? EXIT.ok;
}
