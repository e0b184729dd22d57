import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { System } from '../../src/core/ports.ts';
import { system } from '../../src/system.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import { startGateway } from '../support/gateway-doors.ts';
import { ask, askJson, endOf } from './call-cases.ts';
import { insist } from './cases.ts';
import type { GatewayPorts } from './proxy-config.ts';
import type { ProxiedClients, ProxyStage } from './proxy-stage.ts';
import { proxiedConfig } from './proxy-stage.ts';

/** How many times faster than those of the world the clocks of gateway and proxy go. */
const SPEED = 20;
const SILENT_MS = 70_000;
/** What the shipped configurations bear, and what is about a proxy's default, in seconds. */
const SHIPPED_S = 660;
const IMPATIENT_S = 40;

const { chat, streamChat } = LlmService.method;
type Ends = Readonly<Record<'stream' | 'unary' | 'webStream' | 'webUnary', string>>;

/** Streams and unary calls of both doors with 70 s of silence, under the shipped timeouts and a clock that goes 20 times as fast. */
export async function silentCalls(stage: ProxyStage): Promise<string> {
  const ends = await quickly(stage, SHIPPED_S);
  checkAllEnd(ends);
  return '';
}

/** The same under timeouts of 40 s: streams have to pass, and a proxy that has timeouts ends the others. */
export async function impatientProxy(stage: ProxyStage): Promise<string> {
  const { stream, webStream, unary, webUnary } = await quickly(stage, IMPATIENT_S);
  insist(stream === 'ok' && webStream === 'ok', `stream: ${stream}; web: ${webStream}`);
  return `unary: ${unary}; web: ${webUnary}`;
}

/** Truly 70 s of silence, with everything as it is shipped. */
export async function realSilence(stage: ProxyStage): Promise<string> {
  stage.upstream.lateMs = SILENT_MS;
  checkAllEnd(await silence(stage));
  return '';
}

async function quickly(stage: ProxyStage, patienceS: number): Promise<Ends> {
  stage.upstream.lateMs = SILENT_MS / SPEED;
  const gateway = await startGateway(proxiedConfig(stage.upstream), fastSystem());
  try {
    return await stage.besides(portsOf(gateway), patienceS / SPEED, silence);
  } finally {
    await gateway.close();
  }
}

async function silence({ rpc, web }: ProxiedClients): Promise<Ends> {
  const end = (call: Promise<unknown>): Promise<string> => call.then(() => 'ok', endOf);
  const stream = rpc.stream(streamChat, ask('late'));
  const [streamed, unary, webStream, webUnary] = await Promise.all([
    end(stream.done),
    end(rpc.call(chat, ask('late'))),
    end(web.stream(askJson('late'))),
    end(web.post('Chat', askJson('late')).then(({ status }) => insist(status === 200, `HTTP ${status}`))),
  ]);
  return { stream: streamed, unary, webStream, webUnary };
}

function checkAllEnd(ends: Ends): void {
  for (const [name, end] of Object.entries(ends)) insist(end === 'ok', `${name}: ${end}`);
}

/** A clock that goes faster, so that pings come every 0.75 s. */
function fastSystem(): Partial<System> {
  return {
    now: () => system.now() * SPEED,
    setTimer: (ms, fire) => system.setTimer(ms / SPEED, fire),
    setIdleTimer: (ms, fire) => system.setIdleTimer(ms / SPEED, fire),
  };
}

function portsOf({ address, web }: RunningGateway): GatewayPorts {
  const webPort = Number(new URL(web).port);
  // What HAProxy asks at the admin address, the web door answers as well.
  return { grpc: Number(address.split(':').at(-1)), web: webPort, admin: webPort };
}
