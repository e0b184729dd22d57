/**
 * The columns of `usage_attempts`, one row for each attempt, in the order in which a row of the journal has them. New ones come last:
 * what an older version has journaled lacks them, and an older version passes over them. In both stores an id is `call_id`, a point
 * and `number`; `group` is a word of SQL, so that its column is `caller_group`; money is a 64-bit integer.
 */
export const USAGE_COLUMNS = [
  { name: 'started_at_ms', type: 'bigint' },
  { name: 'call_id', type: 'text' },
  { name: 'number', type: 'integer' },
  { name: 'duration_ms', type: 'double precision' },
  { name: 'first_output_ms', type: 'double precision' },
  { name: 'request_id', type: 'text' },
  { name: 'method', type: 'text' },
  { name: 'caller', type: 'text' },
  { name: 'caller_group', type: 'text' },
  { name: 'labels', type: 'jsonb' },
  { name: 'kind', type: 'text' },
  { name: 'provider', type: 'text' },
  { name: 'target', type: 'text' },
  { name: 'model', type: 'text' },
  { name: 'reported_model', type: 'text' },
  { name: 'outcome', type: 'text' },
  { name: 'http_status', type: 'integer' },
  { name: 'provider_request_id', type: 'text' },
  { name: 'is_serving', type: 'boolean' },
  { name: 'input_tokens', type: 'bigint' },
  { name: 'cached_input_tokens', type: 'bigint' },
  { name: 'cache_write_tokens', type: 'bigint' },
  { name: 'output_tokens', type: 'bigint' },
  { name: 'reasoning_tokens', type: 'bigint' },
  { name: 'is_estimated', type: 'boolean' },
  { name: 'service_tier', type: 'text' },
  { name: 'cost_nano_usd', type: 'bigint' },
  { name: 'cost_source', type: 'text' },
  { name: 'list_nano_usd', type: 'bigint' },
  { name: 'price_table_version', type: 'text' },
] as const;
