import { describe, expect, it } from 'vitest';

import type { Delta, Finish } from '../../src/core/answer.ts';
import type { AttemptEvent, AttemptSink } from '../../src/core/ports.ts';
import { renewable } from '../../src/targets/renewed-upstream.ts';
import type { UpstreamCall, UpstreamTarget } from '../../src/upstream/target-client.ts';

const REFUSED: AttemptEvent<Delta, Finish> = {
  type: 'error',
  failure: { class: 'auth', reason: 'PROVIDER_AUTH_FAILED', message: 'The key was refused.', httpStatus: 401 },
};

/** An upstream that notes what is asked of it. */
function noted() {
  const sinks: AttemptSink<Delta, Finish>[] = [];
  const done: string[] = [];
  const upstream: UpstreamTarget = {
    open: (_call, sink) => {
      sinks.push(sink);
      const note = (what: string) => () => void done.push(what);
      return { abort: note('abort'), release: note('release'), pause: note('pause'), resume: note('resume') };
    },
    ask: () => Promise.resolve(undefined),
    prepare: () => Promise.resolve(),
    installedModel: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
  return { upstream, sinks, done };
}

const CALL: UpstreamCall = {
  wire: { path: '/chat/completions', body: {}, warnings: [], localStop: [] },
  model: 'm',
  stream: true,
  wrapReader: (reader) => reader,
};

function opened() {
  const [old, fresh] = [noted(), noted()];
  const { upstream, goOnAs } = renewable(old.upstream);
  const heard: AttemptEvent<Delta, Finish>[] = [];
  const handle = upstream.open(CALL, (event) => heard.push(event));
  return { old, fresh, upstream, renew: () => goOnAs(fresh.upstream), heard, handle };
}

describe('an upstream with a new key', () => {
  it('makes a call again that the old key was refused for, and nobody hears of it', () => {
    const { old, fresh, renew, heard, handle } = opened();
    renew();
    old.sinks[0]?.({ type: 'headers', status: 401 });
    old.sinks[0]?.(REFUSED);
    expect([heard, fresh.sinks.length]).toEqual([[], 1]);
    fresh.sinks[0]?.({ type: 'headers', status: 200 });
    handle.abort();
    expect([heard, old.done, fresh.done]).toEqual([[{ type: 'headers', status: 200 }], [], ['abort']]);
  });

  it('makes calls that begin later with it', () => {
    const { upstream, fresh, renew } = opened();
    renew();
    upstream.open(CALL, () => undefined);
    expect(fresh.sinks).toHaveLength(1);
  });

  it('makes none again whose key is refused once more, or that was left', () => {
    const { old, fresh, renew, heard, handle } = opened();
    renew();
    old.sinks[0]?.(REFUSED);
    fresh.sinks[0]?.(REFUSED);
    expect([heard, fresh.sinks.length]).toEqual([[REFUSED], 1]);
    handle.abort();
    const other = opened();
    other.handle.abort();
    other.renew();
    other.old.sinks[0]?.(REFUSED);
    expect(other.fresh.sinks).toHaveLength(0);
  });

  it('passes everything on while there is no other', () => {
    const { old, heard, handle } = opened();
    old.sinks[0]?.({ type: 'headers', status: 401 });
    old.sinks[0]?.(REFUSED);
    handle.pause();
    handle.resume();
    handle.release();
    expect([heard, old.done]).toEqual([
      [{ type: 'headers', status: 401 }, REFUSED],
      ['pause', 'resume', 'release'],
    ]);
  });
});
