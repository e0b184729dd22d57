/** A column of usage: its name, and its type in PostgreSQL. */
export interface UsageColumn {
  readonly name: string;
  readonly type: 'bigint' | 'integer' | 'double precision' | 'text' | 'jsonb' | 'boolean';
}

/** What differs from attempt to attempt. New ones come last: what an older version has journaled lacks them. */
export const OWN_COLUMNS: readonly UsageColumn[] = [
  { name: 'started_at_ms', type: 'bigint' },
  { name: 'call_id', type: 'text' },
  { name: 'number', type: 'integer' },
  { name: 'duration_ms', type: 'double precision' },
  { name: 'first_output_ms', type: 'double precision' },
  { name: 'request_id', type: 'text' },
  { name: 'labels', type: 'jsonb' },
  { name: 'provider_request_id', type: 'text' },
  { name: 'input_tokens', type: 'bigint' },
  { name: 'cached_input_tokens', type: 'bigint' },
  { name: 'cache_write_tokens', type: 'bigint' },
  { name: 'output_tokens', type: 'bigint' },
  { name: 'reasoning_tokens', type: 'bigint' },
  { name: 'cost_nano_usd', type: 'bigint' },
  { name: 'list_nano_usd', type: 'bigint' },
];

/** What many attempts have in common. New ones come last. */
export const SHARED_COLUMNS: readonly UsageColumn[] = [
  { name: 'method', type: 'text' },
  { name: 'caller', type: 'text' },
  { name: 'caller_group', type: 'text' },
  { name: 'kind', type: 'text' },
  { name: 'provider', type: 'text' },
  { name: 'target', type: 'text' },
  { name: 'model', type: 'text' },
  { name: 'reported_model', type: 'text' },
  { name: 'outcome', type: 'text' },
  { name: 'http_status', type: 'integer' },
  { name: 'is_serving', type: 'boolean' },
  { name: 'is_estimated', type: 'boolean' },
  { name: 'service_tier', type: 'text' },
  { name: 'cost_source', type: 'text' },
  { name: 'price_table_version', type: 'text' },
];

/**
 * The columns of `usage_attempts`, one row for each attempt. In both stores `group` is a word of SQL, so that its column is
 * `caller_group`; money is a 64-bit integer.
 */
export const USAGE_COLUMNS: readonly UsageColumn[] = [...OWN_COLUMNS, ...SHARED_COLUMNS];
