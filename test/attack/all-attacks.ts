import type { Attack } from './attack.ts';
import { CROWDING_ATTACKS } from './crowding-attacks.ts';
import { DECODING_ATTACKS } from './decoding-attacks.ts';
import { HEADER_ATTACKS } from './header-attacks.ts';
import { HOLDING_ATTACKS } from './holding-attacks.ts';
import { MALFORMED_ATTACKS } from './malformed-frames.ts';
import { PROVIDER_ATTACKS } from './provider-attacks.ts';

/** Every attack, in the order in which they run. */
export const ALL_ATTACKS: readonly Attack[] = [
  ...MALFORMED_ATTACKS,
  ...DECODING_ATTACKS,
  ...HOLDING_ATTACKS,
  ...CROWDING_ATTACKS,
  ...HEADER_ATTACKS,
  ...PROVIDER_ATTACKS,
];

/** The gateway that is attacked: a mock that anybody may ask, and a provider whose answers never heal, asked by name alone. */
export function attackedConfig(sickOrigin: string) {
  return {
    targets: [
      { name: 'mock', provider: 'mock' as const },
      { name: 'sick', provider: 'openai' as const, base_url: `${sickOrigin}/v1`, api_key: 'sk-sick', model: 'model-1' },
    ],
    routes: [{ name: 'default', targets: ['mock'] }],
    // Its circuit is not to hide it.
    circuit_breaker: { failures: 1_000, window: '10s' },
    retry: { backoff: ['50ms'] },
  };
}
