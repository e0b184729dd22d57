import type { TargetConfig } from '../config/port/resolved.ts';
import type { KeptKnowledge } from '../engine/port/kept-knowledge.ts';

/** Which upstream it is, and what it is spoken to in. */
const OF_UPSTREAM = ['provider', 'baseUrl', 'api', 'mock', 'ownHost'] as const;

/** What says nothing of whose account it is. */
const OF_USE = new Set<string>([
  ...OF_UPSTREAM,
  'name',
  'model',
  'models',
  'prices',
  'limitGroup',
  'timeouts',
  'upstreamMode',
  'source',
]);

/** Tells how much of what is known of a target still holds under another configuration. */
export function keptOf(before: TargetConfig, after: TargetConfig): KeptKnowledge {
  if (OF_UPSTREAM.some((field) => before[field] !== after[field])) return 'NOTHING';
  return accountOf(before) === accountOf(after) ? 'ALL' : 'ALL_BUT_ACCOUNT';
}

/** A key, and whatever else there is by which an upstream knows whom it answers. */
function accountOf(config: TargetConfig): string {
  const fields = Object.entries(config).filter(([field, value]) => value !== undefined && !OF_USE.has(field));
  return JSON.stringify(fields.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
