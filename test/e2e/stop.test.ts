import { describe, expect, it } from 'vitest';

import { FinishReason } from '../../gen/understudy/v1/chat_pb.ts';
import { chunk, respond } from '../support/chaos-upstream.ts';
import { stage } from '../support/failover-stage.ts';
import { completion, event, ROLE_EVENT, STREAM_END, STREAM_HEAD, textEvent } from '../support/openai-bodies.ts';

const options = { stop: ['END'] };

describe('a stop text that a server lets pass', () => {
  it('cuts a stream where it is complete, over two pieces too, and has the server stop writing', async () => {
    const { lead, ask } = await stage();
    const pieces = ['one E', 'ND two'].map((text) => chunk(textEvent(text)));
    lead.script(STREAM_HEAD, chunk(ROLE_EVENT), ...pieces, { do: 'await_close' });
    const answered = await ask('StreamChat', { options });
    expect(answered).toMatchObject({ text: 'one ', finishReason: FinishReason.STOP, target: 'lead' });
    await (
      await lead.connection(0)
    ).closed;
    // It was told all the same: a server that listens writes nothing more.
    expect(JSON.parse((await lead.request(0)).body)).toMatchObject({ stop: ['END'] });
  });

  it('cuts a whole answer, whose tokens count', async () => {
    const { lead, ask } = await stage();
    lead.script(respond(200, 'application/json', completion('one END two')));
    const answered = await ask('Chat', { options });
    expect(answered).toMatchObject({ text: 'one ', finishReason: FinishReason.STOP });
    expect(answered.usage).toMatchObject({ inputTokens: 9, outputTokens: 3 });
  });

  it('is no stop text in reasoning and in arguments of calls', async () => {
    const { lead, ask } = await stage();
    const call = { index: 0, id: 'a', function: { name: 'f', arguments: '{"x":"END"}' } };
    const words = [{ reasoning_content: 'An END in thought.' }, { tool_calls: [call] }].map((delta) =>
      chunk(event(delta)),
    );
    lead.script(STREAM_HEAD, chunk(ROLE_EVENT), ...words, chunk(STREAM_END), { do: 'end' });
    expect(await ask('StreamChat', { options })).toMatchObject({ finishReason: FinishReason.TOOL_CALLS });
  });
});
