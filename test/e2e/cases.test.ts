import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { CASE_CHECKS, CASE_RULES, OTHER_CASES } from '../support/case-expectations.ts';
import type { CaseAnswer, ProviderCase } from '../support/case-files.ts';
import { allCaseNames, caseFile, hasCases, providerCases } from '../support/case-files.ts';
import { playCase } from '../support/case-runs.ts';
import type { CaseServer } from '../support/case-upstream.ts';
import { BACKUP_ANSWER, chatAnswer, startCaseServer } from '../support/case-upstream.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import { startGateway } from '../support/gateway-doors.ts';
import { postJson } from '../support/web-calls.ts';

const cases = providerCases();
const runs = cases.flatMap((one) => one.modes.map((mode) => ({ ...one, mode, own: `${one.name}-${mode}` })));
type Run = (typeof runs)[number];

/** A case that names the request and is otherwise known here. */
interface ToldCase {
  readonly request: Parameters<typeof playCase>[0]['request'];
}

function targetOf({ target, own }: Run, origin: string) {
  const { provider, model, prices, api } = target;
  // Servers that speak the API of Anthropic or Ollama have no version in their base URL.
  const path = provider === 'anthropic' || provider === 'ollama' ? '' : '/v1';
  return {
    name: own,
    provider,
    base_url: `${origin}/${own}${path}`,
    ...(provider !== 'ollama' && { api_key: 'sk-test' }),
    ...(model !== undefined && { model }),
    ...(prices !== undefined && { prices }),
    ...(api !== undefined && { api }),
  };
}

function answererOf({ name, upstream }: ProviderCase): (body: unknown) => CaseAnswer {
  if (!('rule' in upstream)) return () => upstream;
  const rule = CASE_RULES[name];
  return (body) => {
    const { messages } = body as { readonly messages: Parameters<NonNullable<typeof rule>>[0] };
    const answer = rule && upstream[rule(messages)];
    if (answer === undefined) throw new Error(`the rule of ${name} is not known: ${upstream.rule}`);
    return answer;
  };
}

/** Cases that are about one target: nobody stands behind it. */
const ALONE = /^retry-/;

describe.skipIf(!hasCases)(
  'answers of real servers through the whole gateway (skipped without ../shared/cases)',
  () => {
    let server: CaseServer;
    let gateway: RunningGateway;

    beforeAll(async () => {
      server = await startCaseServer();
      for (const run of runs) server.route(`/${run.own}/`, answererOf(run));
      server.route('/backup/', () => BACKUP_ANSWER);
      server.route('/tree/', () =>
        chatAnswer((caseFile('operations/schema-ref-root.json') as { answer: string }).answer),
      );
      server.route('/nothing/', () => ({ status: 400, headers: { 'content-type': 'application/json' }, body: '{}' }));
      const chat = { provider: 'openai', api_key: 'sk-test', model: 'backup-model' } as const;
      const targets = [
        ...runs.map((run) => targetOf(run, server.origin)),
        { ...chat, name: 'backup', base_url: `${server.origin}/backup/v1` },
        { ...chat, name: 'tree', base_url: `${server.origin}/tree/v1` },
        { name: 'nothing', provider: 'anthropic' as const, base_url: `${server.origin}/nothing`, api_key: 'sk-test' },
      ];
      gateway = await startGateway({ targets, retry: { backoff: ['10ms'], jitter: 'NONE' } });
    });

    afterAll(async () => {
      await gateway.close();
      await server.close();
    });

    test('every case of the folder is known', () => {
      const known = new Set([...Object.keys(CASE_CHECKS), ...OTHER_CASES]);
      expect(allCaseNames().filter((name) => !known.has(name))).toEqual([]);
    });

    test.each(runs)('$name, $mode', async ({ name, mode, own, request }) => {
      const check = CASE_CHECKS[name];
      if (check === undefined) throw new Error('nothing is known of what this case should come to');
      const others = ALONE.test(name) ? [] : ['backup'];
      const requests = () => server.requestsBelow(`/${own}/`);
      await check(await playCase({ gateway, mode, own, others, request, requests }));
    });

    test.each(['unary', 'stream'] as const)('schema-ref-root, %s', async (mode) => {
      const { request } = caseFile('operations/schema-ref-root.json') as ToldCase;
      const requests = () => server.requestsBelow('/tree/');
      const { outcome } = await playCase({ gateway, mode, own: 'tree', others: [], request, requests });
      expect(outcome).toMatchObject({ error: undefined, trail: ['FIRST own OK'], warnings: [] });
      expect(outcome.text).toBe((caseFile('operations/schema-ref-root.json') as { answer: string }).answer);
    });

    test.each(['unary', 'stream'] as const)('anthropic-nothing-left, %s', async (mode) => {
      const { request } = caseFile('operations/anthropic-nothing-left.json') as ToldCase;
      const requests = () => server.requestsBelow('/nothing/');
      const run = await playCase({ gateway, mode, own: 'nothing', others: ['backup'], request, requests });
      expect(run.outcome.trail).toEqual(['SKIPPED own UNSUPPORTED_PARAMETER', 'FIRST backup OK']);
      expect(run.requests).toEqual([]);
    });

    // Bytes of JSON that no message has are the caller's; bytes that are no protobuf are INTERNAL, as gRPC has it.
    test.each([
      ['StreamChat', 'application/connect+json', '"code":"invalid_argument"'],
      ['StreamChat', 'application/connect+proto', '"code":"internal"'],
      ['StreamChat', 'application/grpc-web+proto', 'grpc-status: 13'],
      ['Chat', 'application/grpc-web+proto', 'grpc-status: 13'],
      ['Chat', 'application/grpc-web+json', 'grpc-status: 3'],
      ['Health', 'application/grpc-web+proto', 'grpc-status: 13'],
    ])('web-door-malformed-stream-message: %s as %s', async (method, type, end) => {
      const told = caseFile('web-door-malformed-stream-message.json') as { request: { body_base64: string } };
      const body = Buffer.from(told.request.body_base64, 'base64');
      const headers = { 'content-type': type, 'connect-protocol-version': '1' };
      const response = await fetch(`${gateway.web}/understudy.v1.LlmService/${method}`, {
        method: 'POST',
        headers,
        body,
      });
      expect(response.status).toBe(200);
      expect(await response.text()).toContain(end);
      expect((await postJson(gateway.web, 'Health', {})).status).toBe(200);
    });
  },
);
