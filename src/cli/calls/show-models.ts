import { create } from '@bufbuild/protobuf';
import { type Client } from '@connectrpc/connect';

import {
  Capability,
  ListModelsResponseSchema,
  type LlmService,
  type Model,
} from '../../../gen/understudy/v1/llm_pb.ts';
import { alignedTable } from '../../config/port/aligned-table.ts';
import type { ModelsFlags } from '../command-line.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { printJson } from './ask-once.ts';
import { enumName } from './enum-name.ts';
import { withDeadline } from '../connection/gateway-connection.ts';

const TIMEOUT_MS = 120_000;
const PAGE_SIZE = 1_000;

/** Lists the models, all pages of them. Rejects with the error of a call. */
export async function showModels(
  client: Client<typeof LlmService>,
  flags: ModelsFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const models: Model[] = [];
  const { target = '', timeout = TIMEOUT_MS } = flags;
  for (let pageToken = ''; ;) {
    const page = await client.listModels({ pageSize: PAGE_SIZE, pageToken, target }, withDeadline(signal, timeout));
    models.push(...page.models);
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
  }
  if (flags.json) {
    printJson(terminal, ListModelsResponseSchema, create(ListModelsResponseSchema, { models }));
    return;
  }
  if (models.length === 0) terminal.tell('There are no models.');
  else terminal.print(`${modelsText(models)}\n`);
}

function modelsText(models: readonly Model[]): string {
  return alignedTable(
    ['target', 'model', '', 'provider', 'window', 'answer', 'input', 'cached', 'output', 'can'],
    models.map(({ id, target, provider, contextWindow, maxOutputTokens, capabilities, prices, defaultOfTarget }) => [
      target,
      id,
      defaultOfTarget ? '*' : '',
      provider,
      contextWindow === undefined ? '' : String(contextWindow),
      maxOutputTokens === undefined ? '' : String(maxOutputTokens),
      prices?.input ?? '',
      prices?.cachedInput ?? '',
      prices?.output ?? '',
      capabilities.map((capability) => enumName(Capability, capability).toLowerCase()).join(' '),
    ]),
  );
}
