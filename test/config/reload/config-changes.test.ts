import { describe, expect, it } from 'vitest';

import { configChanges } from '../../../src/config/reload/config-changes.ts';
import { configErrorOf, loadText } from '../loading.ts';

const A = '{ name: a, provider: mock }';
const DIGEST = 'a'.repeat(64);

const changes = (before: string, after: string) => configChanges(loadText(before), loadText(after));
const changed = (before: string, after: string) => changes(before, after).changed;

describe('a configuration that is read while another one holds', () => {
  it('is as it was where only its text is another one', () => {
    expect(changes(`targets: [${A}]`, `# Better said.\ntargets:\n  - ${A}`)).toMatchObject({
      changed: [],
      needRestart: [],
    });
  });

  it('names targets and routes that come, go and change', () => {
    const after = `targets: [{ name: a, provider: mock, timeouts: { progress: 5s } }, { name: c, provider: mock }]`;
    expect(changed(`targets: [${A}, { name: b, provider: mock }]`, after)).toEqual([
      'target b removed',
      'target a changed: timeouts',
      'target c added',
      'route default changed: targets',
    ]);
  });

  it('names a key that has changed, and never tells it', () => {
    const target = (key: string) => `targets: [{ name: a, provider: openai, api_key: ${key} }]`;
    expect(changed(target('sk-planted-before'), target('sk-planted-after'))).toEqual(['target a changed: api_key']);
  });

  it('names callers, groups and what they may', () => {
    const file = (limits: string, budget: string) =>
      `targets: [${A}]\ncallers: [{ name: billing, group: g, api_keys: [{ sha256: ${DIGEST} }], limits: ${limits} }]\ngroups: [{ name: g, budget: { usd: '${budget}', per: day } }]`;
    expect(changed(file('{ concurrent_calls: 1 }', '1'), file('{}', '2'))).toEqual([
      'caller billing changed: limits',
      'group g changed: budget',
    ]);
  });

  it('names settings of sections', () => {
    const after = `targets: [${A}]\nretry: { max_repeats: 1, jitter: NONE }\ncircuit_breaker: { cooldown: 5s }`;
    expect(changed(`targets: [${A}]`, after)).toEqual([
      'circuit_breaker changed: cooldown',
      'retry changed: max_repeats, jitter',
    ]);
  });

  it('keeps what needs a restart as it is, and says so each time', () => {
    const before = `targets: [${A}]`;
    const after = `${before}\nserver: { grpc_address: 127.0.0.1:1, http: { idle_timeout: 5s }, drain: { grace: 9s } }\nledger: { sqlite: u.db }\nlimits: { store: redis://127.0.0.1:1 }`;
    const { config, needRestart, changed: named } = changes(before, after);
    expect(needRestart).toEqual(['server.grpc_address', 'server.http.idle_timeout', 'ledger', 'limits']);
    expect(named).toEqual(['server changed: drain']);
    expect(config.server).toMatchObject({ grpcAddress: '127.0.0.1:50051', idleTimeoutMs: 620_000 });
    expect([config.server.drain.graceMs, config.ledger, config.limits]).toEqual([9_000, undefined, undefined]);
    expect(configChanges(config, loadText(after)).needRestart).toEqual(needRestart);
  });

  it('may not leave the gateway without any target, as an empty file would', () => {
    expect(configErrorOf(() => changes(`targets: [${A}]`, ''))).toMatch(/^targets: there would be none left/);
    expect(configErrorOf(() => changes('', ''))).toBeUndefined();
  });

  it('may not leave all callers out while others can reach the doors that stand', () => {
    const callers = `callers: [{ name: billing, api_keys: [{ sha256: ${DIGEST} }] }]`;
    const open = `targets: [${A}]\nserver: { grpc_address: 0.0.0.0:1 }\n${callers}`;
    // By itself it would be right.
    expect(configErrorOf(() => changes(open, `targets: [${A}]`))).toMatch(/^callers: cannot be left out while/);
    const { config } = changes(open, `targets: [${A}]\nserver: { allow_unauthenticated: true }`);
    expect(config.server).toMatchObject({ grpcAddress: '0.0.0.0:1', isUnauthenticated: true });
  });
});
