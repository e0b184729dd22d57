import { CircuitState } from '../../gen/understudy/v1/health_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { ANSWERED, healthOf, OTHER } from '../support/chaos-stage.ts';
import type { ChaosStep, ChaosUpstream } from '../support/chaos-upstream.ts';
import { send, startChaosUpstream } from '../support/chaos-upstream.ts';
import { chatTarget, requestOf } from '../support/failover-stage.ts';
import { startGateway } from '../support/gateway-doors.ts';
import { goodAnswer } from '../support/openai-bodies.ts';

const DEADLINE_MS = 2_000;
/** The answer in one piece: small pieces wait for acknowledgements. */
const AT_ONCE = send(Buffer.concat(ANSWERED.map((step) => Buffer.from(step.do === 'send' ? step.bytes : ''))));
/** What each of them allows, in milliseconds, from the caller's side. */
const SILENT_MS = 1_200;
const OPEN_MS = 200;
const COLD_MS = 2_000;

let isGood = true;

function tell(what: string, isRight: boolean): void {
  isGood &&= isRight;
  console.log(`${isRight ? 'as it must be' : 'NOT as it must be'}: ${what}`);
}

/** A stage on the real clock: what the lead does with the calls to come, and how long one takes. */
async function openStage() {
  const [lead, second] = [await startChaosUpstream(), await startChaosUpstream()];
  const targets = [chatTarget('lead', lead.origin), chatTarget('second', second.origin, { model: 'model-2' })];
  const gateway = await startGateway({ targets });
  const ask = async (upstream: ChaosUpstream, ...steps: readonly ChaosStep[]): Promise<[string, number]> => {
    upstream.script(...steps);
    if (upstream === lead) second.script(...goodAnswer(true, OTHER));
    const beganAtMs = performance.now();
    const { target } = await gateway.client.call(LlmService.method.chat, requestOf(), { deadlineMs: DEADLINE_MS });
    return [target, performance.now() - beganAtMs];
  };
  const after = (ms: number) => ask(lead, { do: 'pause', ms }, AT_ONCE);
  return {
    after,
    silent: () => ask(lead, { do: 'await_close' }),
    health: () => healthOf(gateway, 'lead'),
    close: () => Promise.all([gateway.close(), lead.close(), second.close()]),
  };
}

/**
 * Shows on the real clock what a call of two seconds costs whose first target falls silent, or becomes slower: with a target of which
 * nothing is known, and with one that has answered twenty calls in 0.3 s. Ends with 0 where each takes no more than it must.
 */
async function main(): Promise<number> {
  const cold = await openStage();
  const [coldTarget, coldMs] = await cold.silent();
  tell(`cold: answered by ${coldTarget} in ${coldMs.toFixed(0)} ms`, coldTarget === 'second' && coldMs < COLD_MS);
  await cold.close();

  const slower = await openStage();
  for (let call = 0; call < 20; call++) await slower.after(300);
  const served = new Set<string>();
  for (let call = 0; call < 10; call++) served.add((await slower.after(900))[0]);
  const { failures } = await slower.health();
  tell(
    `three times slower: answered by ${[...served].join(' and ')}, ${failures} failures`,
    failures === 0n && served.size === 1,
  );
  await slower.close();

  const silent = await openStage();
  for (let call = 0; call < 20; call++) await silent.after(300);
  let calls = 0;
  let longestMs = 0;
  while ((await silent.health()).circuit === CircuitState.CLOSED && calls < 10) {
    calls += 1;
    const [target, ms] = await silent.silent();
    longestMs = target === 'second' ? Math.max(longestMs, ms) : Infinity;
  }
  tell(`silent: answered by the second, at the latest in ${longestMs.toFixed(0)} ms`, longestMs < SILENT_MS);
  const { circuit } = await silent.health();
  tell(
    `silent: the circuit is ${circuit === CircuitState.OPEN ? 'open' : 'closed'} after ${calls} calls`,
    circuit === CircuitState.OPEN,
  );
  const [, openMs] = await silent.silent();
  tell(`silent: the next call takes ${openMs.toFixed(0)} ms`, openMs < OPEN_MS);
  await silent.close();
  return isGood ? 0 : 1;
}

process.exitCode = await main();
