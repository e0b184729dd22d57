import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { FailureClass, FailureReason } from '../../src/core/failure.ts';
import { CLASS_RULES, REASON_STATUS } from '../../src/core/failure.ts';
import { ask, requestOf, UNDERSTUDY } from '../support/failover-stage.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import { startGateway } from '../support/gateway-doors.ts';
import { expectAnswer, expectPieces, piecesOfMessage, piecesOfStream } from '../support/recorded-answers.ts';
import type { RecordedCase } from '../support/recorded-dialects.ts';
import { countTable, recordedCases, targetsOf } from '../support/recorded-dialects.ts';
import type { ProviderRecording } from '../support/recordings.ts';
import { loadRecordings } from '../support/recordings.ts';
import type { ReplayServer } from '../support/replay-server.ts';
import { startReplayServer } from '../support/replay-server.ts';
import type { RpcError } from '../support/rpc-error.ts';
import { reasonName, rpcError, trailOf } from '../support/rpc-error.ts';

/** Recordings that are no answer although they look like one, and why. */
const NO_ANSWER: Readonly<Record<string, string>> = {
  'openai-responses-json-penai-responses-test-background-mode-reasoning-vcr-7cdd52':
    'status `queued`: the gateway never asks for background mode, and an answer that is not made yet must not pass for one',
};

const recordings = loadRecordings();
const { cases, missing } = recordedCases(recordings);
const passed: ProviderRecording[] = [];

function isBroken({ recording: { kind, expect: expected } }: RecordedCase): boolean {
  return (kind === 'sse' || kind === 'ndjson') && (expected.error !== undefined || expected.done !== true);
}

function hasOutput({ expect: { text, reasoning, tool_calls: calls } }: ProviderRecording): boolean {
  return text !== '' || reasoning !== '' || calls.length > 0;
}

const errors = cases.filter(({ recording }) => recording.kind === 'error');
const answers = cases.filter(
  (one) => one.recording.kind !== 'error' && !isBroken(one) && NO_ANSWER[one.id] === undefined,
);
const broken = cases.filter(isBroken);
const pretended = cases.filter(({ id }) => NO_ANSWER[id] !== undefined);

describe.skipIf(recordings.length === 0)(
  'recordings through the whole gateway (skipped without ../shared/fixtures)',
  () => {
    let provider: ReplayServer;
    let gateway: RunningGateway;

    beforeAll(async () => {
      provider = await startReplayServer({ seed: 26 });
      for (const { recording, alone, lead } of cases) {
        for (const name of [alone, lead]) provider.route(`/${name}/`, recording);
      }
      const targets = cases.flatMap((one) => targetsOf(one, provider.origin));
      gateway = await startGateway({ targets: [...targets, UNDERSTUDY], retry: { max_repeats: 0 } });
    });

    afterAll(async () => {
      await gateway.close();
      await provider.close();
      const reasons = Object.entries(NO_ANSWER).map(([id, reason]) => `${id}: held to a failure; ${reason}`);
      const all = cases.map(({ recording }) => recording);
      process.stdout.write(`${[countTable(all, passed), ...missing, ...reasons].join('\n')}\n`);
    });

    test.each(answers)('$id is answered as recorded', async (one) => {
      const { recording, alone } = one;
      const routing = { targets: [alone] };
      if (recording.kind === 'json') {
        const { client } = gateway;
        const options = { maxTokens: 200 };
        const answer = await client.call(LlmService.method.chat, { ...requestOf({ routing }), options });
        expectPieces(piecesOfMessage(answer.message), recording.expect);
        expectAnswer(answer, one);
      } else {
        const events = await gateway.client.stream(LlmService.method.streamChat, requestOf({ routing })).done;
        expectPieces(piecesOfStream(events), recording.expect);
        const last = events.at(-1)?.event;
        if (last?.case !== 'finished') throw new Error('a stream that ended with OK has to end with `finished`');
        expectAnswer({ ...last.value, text: '' }, one);
      }
      passed.push(recording);
    });

    test.each(errors)('$id ends as its class says, and another target helps where it may', async (one) => {
      const { recording, dialect, alone, lead } = one;
      const verdict = dialect.verdict(recording);
      if (verdict === undefined) throw new Error('the oracle knows no verdict');
      const [failureClass, reason] = verdict;
      const error = await rpcError(ask(gateway, 'StreamChat', { routing: { targets: [alone] } }));
      expectError(error, failureClass, reason);
      expect(error.trail).toMatchObject([{ target: alone, httpStatus: recording.status }]);
      if ((recording.expect.message ?? '') !== '') expect(error.everything).not.toContain(recording.expect.message);
      const second = ask(gateway, 'Chat', { routing: { targets: [lead, 'understudy'] } });
      if (CLASS_RULES[failureClass].nextTarget === 'no') {
        expect(trailOf((await rpcError(second)).trail)).toEqual([`FIRST ${lead} ${reason}`]);
      } else {
        const { attempts, target } = await second;
        // The name of a limit is the gateway's: the other one is tried at once.
        const isSwapped = recording.provider === 'openai' && recording.body.includes("'max_tokens' is not supported");
        const again = isSwapped ? [`RETRY ${lead} ${reason}`] : [];
        expect(trailOf(attempts)).toEqual([`FIRST ${lead} ${reason}`, ...again, 'FAILOVER understudy OK']);
        expect(target).toBe('understudy');
      }
      passed.push(recording);
    });

    test.each(broken)('$id never passes for a whole answer', async (one) => {
      const { recording, dialect, alone, lead } = one;
      const verdict = dialect.inBandVerdict(recording.expect) ?? (['reset', 'PROVIDER_UNAVAILABLE'] as const);
      const stream = gateway.client.stream(LlmService.method.streamChat, requestOf({ routing: { targets: [alone] } }));
      const error = await rpcError(stream.done);
      if (hasOutput(recording)) {
        expect(error).toMatchObject({ code: 'ABORTED', reason: 'STREAM_INTERRUPTED', pushback: '-1' });
        expectPieces(piecesOfStream(stream.received), recording.expect);
      } else {
        expectError(error, ...verdict);
        const { target, attempts } = await ask(gateway, 'StreamChat', { routing: { targets: [lead, 'understudy'] } });
        expect(target).toBe('understudy');
        expect(trailOf(attempts)).toEqual([`FIRST ${lead} ${verdict[1]}`, 'FAILOVER understudy OK']);
      }
      passed.push(recording);
    });

    test.each(pretended)('$id is no answer yet', async ({ recording, alone }) => {
      const error = await rpcError(ask(gateway, 'Chat', { routing: { targets: [alone] } }));
      expectError(error, 'protocol', 'PROVIDER_PROTOCOL_ERROR');
      passed.push(recording);
    });

    test('every recording was held to something', () => {
      expect(answers.length + errors.length + broken.length + pretended.length).toBe(cases.length);
      expect(missing).toEqual([]);
    });
  },
);

/** The only target has failed: the status is that of its reason; what the request is to blame for is told as itself. */
function expectError(error: RpcError, failureClass: FailureClass, reason: FailureReason): void {
  const isOfTheRequest = REASON_STATUS[reason] === 'INVALID_ARGUMENT';
  expect(error.code, failureClass).toBe(REASON_STATUS[reason]);
  expect(error.reason).toBe(isOfTheRequest ? reason : 'ALL_PROVIDERS_FAILED');
  expect(error.trail.map(({ outcome }) => reasonName(outcome))).toEqual([reason]);
  expect(error.pushback).toBe('-1');
}
