import type { ChainEntry } from '../../engine/port/call.ts';

/** What of an entry of the chain metrics show. */
export type SeriesEntry = Pick<ChainEntry, 'target' | 'provider' | 'circuit'>;

/** Returns what `create` made for an entry's target and circuit; makes it at most once. Targets have few circuits. */
export function perEntry<Series>(create: (entry: SeriesEntry) => Series): (entry: SeriesEntry) => Series {
  const targets = new Map<string, Map<string, Series>>();
  return (entry) => {
    const known = targets.get(entry.target)?.get(entry.circuit);
    if (known !== undefined) return known;
    const made = create(entry);
    const circuits = targets.get(entry.target) ?? new Map<string, Series>();
    targets.set(entry.target, circuits.set(entry.circuit, made));
    return made;
  };
}
