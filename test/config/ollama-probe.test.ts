import { describe, expect, test } from 'vitest';

import { probeOllama, type FetchLike } from '../../src/config/ollama-probe.ts';

const { signal } = new AbortController();

function answering(ok: boolean, body: unknown): FetchLike {
  return () => Promise.resolve({ ok, json: () => Promise.resolve(body) });
}

describe('the probe for Ollama', () => {
  test('asks for the installed models on this machine, with the signal', async () => {
    const asked: unknown[] = [];
    await probeOllama((url, init) => {
      asked.push([url, init.signal]);
      return answering(true, {})(url, init);
    }, signal);
    expect(asked).toEqual([['http://localhost:11434/api/tags', signal]]);
  });

  test.each([
    ['a model is installed', true, { models: [{ name: 'llama3.2:3b' }] }, true],
    ['none is', true, { models: [] }, false],
    ['something else answers', true, 'hello', false],
    ['an error answers', false, { models: [{ name: 'x' }] }, false],
  ])('where %s', async (_, ok, body, found) => {
    expect(await probeOllama(answering(ok, body), signal)).toBe(found);
  });

  test('finds nothing where nobody listens', async () => {
    expect(await probeOllama(() => Promise.reject(new Error('ECONNREFUSED')), signal)).toBe(false);
  });

  test('finds nothing where the answer is no JSON', async () => {
    const broken: FetchLike = () =>
      Promise.resolve({ ok: true, json: () => Promise.reject(new SyntaxError('<html>')) });
    expect(await probeOllama(broken, signal)).toBe(false);
  });
});
