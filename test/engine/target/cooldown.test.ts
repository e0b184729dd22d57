import { beforeEach, describe, expect, it } from 'vitest';

import { Cooldown } from '../../../src/engine/target/cooldown.ts';

let now: number;
let chance: number;
let cooldown: Cooldown;

beforeEach(() => {
  now = 5_000;
  chance = 0;
  cooldown = new Cooldown(
    () => now,
    () => chance,
  );
});

describe('a cooldown', () => {
  it('holds calls of every model back for as long as the provider asked', () => {
    cooldown.cool(2_000);
    expect(cooldown.refusal('any')).toEqual({ reason: 'PROVIDER_RATE_LIMITED', forMs: 2_000 });
    now += 1_999;
    expect(cooldown.refusal('any')?.forMs).toBe(1);
    now += 1;
    expect(cooldown.refusal('any')).toBeUndefined();
    expect(cooldown.coolsForMs()).toBe(0);
  });

  it('adds at most a tenth, at most a second, and takes nothing away', () => {
    chance = 0.999_999;
    cooldown.cool(2_000);
    expect(cooldown.coolsForMs()).toBeCloseTo(2_200, 1);
    cooldown.cool(60_000);
    expect(cooldown.coolsForMs()).toBeCloseTo(61_000, 1);
  });

  it('is only ever moved later', () => {
    cooldown.cool(10_000);
    cooldown.cool(1_000);
    expect(cooldown.coolsForMs()).toBe(10_000);
    cooldown.cool(20_000);
    expect(cooldown.coolsForMs()).toBe(20_000);
  });
});

describe('a suspension', () => {
  it('says why, and ends by itself', () => {
    cooldown.suspend('PROVIDER_AUTH_FAILED', 60_000);
    expect(cooldown.refusal('any')).toEqual({ reason: 'PROVIDER_AUTH_FAILED', forMs: 60_000 });
    expect(cooldown.suspension()?.reason).toBe('PROVIDER_AUTH_FAILED');
    now += 60_000;
    expect(cooldown.refusal('any')).toBeUndefined();
    expect(cooldown.suspension()).toBeUndefined();
  });

  it('is only ever moved later, and keeps the reason that lasts longest', () => {
    cooldown.suspend('PROVIDER_QUOTA_EXHAUSTED', 300_000);
    cooldown.suspend('PROVIDER_AUTH_FAILED', 60_000);
    expect(cooldown.suspension()).toEqual({ reason: 'PROVIDER_QUOTA_EXHAUSTED', forMs: 300_000 });
  });

  it('weighs more than a rate limit', () => {
    cooldown.cool(500_000);
    cooldown.suspend('PROVIDER_QUOTA_EXHAUSTED', 300_000);
    expect(cooldown.refusal('any')?.reason).toBe('PROVIDER_QUOTA_EXHAUSTED');
    now += 300_000;
    expect(cooldown.refusal('any')?.reason).toBe('PROVIDER_RATE_LIMITED');
  });

  it('of a model leaves the other models in use', () => {
    cooldown.suspendModel('gone', 'PROVIDER_MODEL_NOT_FOUND', 60_000);
    expect(cooldown.refusal('gone')).toEqual({ reason: 'PROVIDER_MODEL_NOT_FOUND', forMs: 60_000 });
    expect(cooldown.refusal('there')).toBeUndefined();
    expect(cooldown.suspension()).toBeUndefined();
    expect(cooldown.suspensionOfAnyModel()?.reason).toBe('PROVIDER_MODEL_NOT_FOUND');
    now += 60_000;
    expect(cooldown.refusal('gone')).toBeUndefined();
    expect(cooldown.suspensionOfAnyModel()).toBeUndefined();
  });
});
