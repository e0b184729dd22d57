import type { Failure } from '../core/failure.ts';
import type { AdapterTarget, Chat, WireRequest } from '../providers/port/adapter.ts';
import type { Quirk } from '../providers/port/quirk.ts';
import { isQuirk, NO_QUIRKS } from '../providers/port/quirk.ts';
import type { Target } from '../targets/target.ts';

/** A request as it was sent. */
interface SentRequest {
  readonly chat: Chat;
  readonly at: AdapterTarget;
  readonly wire: WireRequest;
}

/**
 * Remembers for a target what it has refused of what the gateway writes on its own. Returns whether the request is written otherwise
 * from now on; false where it would be the same, or where the caller has written that itself (`provider_options`).
 */
export function learnQuirk({ quirk }: Failure, { chat, at, wire }: SentRequest, { adapter, quirks }: Target): boolean {
  if (!isQuirk(quirk) || at.quirks?.has(quirk) === true || isCallersOwn(quirk, chat, at)) return false;
  const otherwise = adapter.request(chat, { ...at, quirks: new Set(at.quirks ?? NO_QUIRKS).add(quirk) });
  if ('reason' in otherwise || JSON.stringify(otherwise.body) === JSON.stringify(wire.body)) return false;
  quirks.learn(at.model, quirk);
  return true;
}

function isCallersOwn(quirk: Quirk, { options }: Chat, { provider }: AdapterTarget): boolean {
  const own = options?.providerOptions[provider];
  const [, field = ''] = quirk.split(' ');
  return own !== undefined && JSON.stringify(own).includes(`"${field}"`);
}
