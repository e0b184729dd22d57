import { setTimeout as passed } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';

import { ChatRequestSchema, LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { valueAt } from '../../src/config/port/problem.ts';
import { system } from '../../src/system.ts';
import type { UnderstudyProcess } from '../support/understudy-process.ts';
import { get } from '../support/web-calls.ts';
import { ask, askJson, endOf } from './call-cases.ts';
import { insist } from './cases.ts';
import type { ProxyStage } from './proxy-stage.ts';

const { chat, streamChat } = LlmService.method;
const SILENT_CALLS = 8;
const STREAMS = 40;
/** Between two calls, at each door. */
const GAP_MS = 20;
/** Between two restarts: both doors are looked at every second. */
const SETTLE_MS = 1_500;
/** How long a gateway that is back may get no call. */
const BACK_MS = 30_000;

/**
 * Kills a gateway with calls at the provider: the proxy may ask for none of them again. How they end decides whether clients do:
 * those of gRPC repeat by themselves what ends with REFUSED_STREAM.
 */
export async function killedGateway({ rpc, bare, web, upstream, gateways, startAgain }: ProxyStage): Promise<string> {
  const before = upstream.callsOf('silent').length;
  const controller = new AbortController();
  const { signal } = controller;
  const ends: string[] = [];
  const silent = toBinary(ChatRequestSchema, create(ChatRequestSchema, ask('silent')));
  const calls = Array.from({ length: SILENT_CALLS }, async (_, index) => {
    const call =
      index % 2 === 0 ? bare.grpc('Chat', silent, { signal }) : web.post('Chat', askJson('silent'), { signal });
    const door = index % 2 === 0 ? 'gRPC' : 'web';
    const end = await call.then(({ status }) => `HTTP ${status}`, endOf);
    ends.push(`${door}: ${end}`);
  });
  await upstream.callAt('silent', before + SILENT_CALLS - 1);
  await gateways[0]?.close();
  await passed(1_500);
  const seen = [...new Set(ends)].sort().join('; ');
  const asked = upstream.callsOf('silent').length - before;
  controller.abort();
  await Promise.all(calls);
  await isInUse(await startAgain(0), () => rpc.call(chat, ask('quick')));
  insist(asked === SILENT_CALLS, `the provider was asked ${asked} times for ${SILENT_CALLS} calls`);
  insist(seen !== '', 'no call was at the gateway that was killed');
  return seen;
}

/** Replaces both gateways, one after the other, under streams and calls at both doors. */
export async function rollingGateways(stage: ProxyStage): Promise<string> {
  const { rpc, web } = stage;
  const failures: Record<string, number> = {};
  let calls = 0;
  const watch = async (what: string, call: Promise<unknown>): Promise<void> => {
    calls += 1;
    await call.catch((error: unknown) => {
      const name = `${what}: ${endOf(error)}`;
      failures[name] = (failures[name] ?? 0) + 1;
    });
  };
  const callRpc = (): Promise<void> => watch('gRPC', rpc.call(chat, ask('quick')));
  const callWeb = (): Promise<void> =>
    watch(
      'web',
      web.post('Chat', askJson('quick')).then(({ status }) => insist(status === 200, `HTTP ${status}`)),
    );
  const streamWeb = async (): Promise<void> => {
    const messages = await web.stream(askJson('slow'));
    insist(
      messages.some((message) => valueAt(message, ['finished']) !== undefined),
      'cut',
    );
  };
  const underWay = new Set<Promise<void>>();
  const timer = setInterval(() => {
    for (const made of [callRpc(), callWeb()]) {
      underWay.add(made);
      void made.then(() => underWay.delete(made));
    }
  }, GAP_MS);
  const exitCodes: (number | null)[] = [];
  try {
    for (const index of stage.gateways.keys()) {
      const streams = Array.from({ length: STREAMS }, (_, each) =>
        each % 2 === 0 ? watch('stream', rpc.stream(streamChat, ask('slow')).done) : watch('web stream', streamWeb()),
      );
      await passed(500);
      const gateway = stage.gateways[index];
      gateway?.kill('SIGTERM');
      exitCodes.push((await gateway?.ended)?.code ?? null);
      await Promise.all(streams);
      await isInUse(await stage.startAgain(index), () => passed(50));
      await passed(SETTLE_MS);
    }
  } finally {
    clearInterval(timer);
    await Promise.all(underWay);
  }
  insist(
    exitCodes.every((code) => code === 0),
    `a gateway ended with ${exitCodes.join(', ')}`,
  );
  insist(Object.keys(failures).length === 0, `${JSON.stringify(failures)} of ${calls} calls`);
  return `${calls} calls`;
}

/** Waits until a gateway gets its part of the calls. */
async function isInUse(gateway: UnderstudyProcess, meanwhile: () => Promise<unknown>): Promise<void> {
  const { admin } = await gateway.doors;
  const untilMs = system.now() + BACK_MS;
  do {
    await meanwhile();
    insist(system.now() < untilMs, 'the gateway that is back gets no call');
  } while (!/^understudy_calls_total\{.*\} [1-9]/m.test((await get(`${admin}/metrics`)).body));
}
