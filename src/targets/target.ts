import type { TargetConfig } from '../config/port/resolved.ts';
import type { Adapter } from '../providers/port/adapter.ts';
import type { UpstreamTarget } from '../upstream/target-client.ts';
import type { LearntQuirks } from './learnt-quirks.ts';

/** A target with everything that a call on it needs. */
export interface Target {
  readonly config: TargetConfig;
  readonly adapter: Adapter;
  readonly upstream: UpstreamTarget;
  /** What it has refused of what the gateway writes on its own. */
  readonly quirks: LearntQuirks;
}
