/**
 * The steps from an empty file to the newest schema; `PRAGMA user_version` says how many were taken. They only add, so that an older
 * version can go on with what a newer one has made; a step that was released is never changed.
 */
export const SQLITE_MIGRATIONS: readonly string[] = [
  `CREATE TABLE usage_attempts (
    started_at_ms INTEGER NOT NULL,
    call_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    duration_ms REAL NOT NULL,
    first_output_ms REAL,
    request_id TEXT NOT NULL,
    method TEXT NOT NULL,
    caller TEXT NOT NULL,
    caller_group TEXT NOT NULL,
    labels TEXT NOT NULL,
    kind TEXT NOT NULL,
    provider TEXT NOT NULL,
    target TEXT NOT NULL,
    model TEXT NOT NULL,
    reported_model TEXT NOT NULL,
    outcome TEXT NOT NULL,
    http_status INTEGER,
    provider_request_id TEXT NOT NULL,
    is_serving INTEGER NOT NULL,
    input_tokens INTEGER,
    cached_input_tokens INTEGER,
    cache_write_tokens INTEGER,
    output_tokens INTEGER,
    reasoning_tokens INTEGER,
    is_estimated INTEGER NOT NULL,
    service_tier TEXT NOT NULL,
    cost_nano_usd INTEGER,
    cost_source TEXT NOT NULL,
    list_nano_usd INTEGER,
    price_table_version TEXT NOT NULL,
    PRIMARY KEY (call_id, number)
  ) STRICT;
  CREATE INDEX usage_attempts_by_time ON usage_attempts (started_at_ms);
  CREATE INDEX usage_attempts_by_caller ON usage_attempts (caller, started_at_ms);
  CREATE INDEX usage_attempts_by_request ON usage_attempts (request_id);`,
];
