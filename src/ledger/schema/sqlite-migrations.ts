/**
 * The steps from an empty file to the newest schema; `PRAGMA user_version` says how many were taken. They only add, so that an older
 * version can go on with what a newer one has made (the second, before the first release, is the exception); a step that was released is
 * never changed.
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
  // What attempts have in common stands once, and rows lie in the order of time: half of what a row costs to write.
  `ALTER TABLE usage_attempts RENAME TO usage_before;
  CREATE TABLE usage_shared (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE,
    method TEXT NOT NULL,
    caller TEXT NOT NULL,
    caller_group TEXT NOT NULL,
    kind TEXT NOT NULL,
    provider TEXT NOT NULL,
    target TEXT NOT NULL,
    model TEXT NOT NULL,
    reported_model TEXT NOT NULL,
    outcome TEXT NOT NULL,
    http_status INTEGER,
    is_serving INTEGER NOT NULL,
    is_estimated INTEGER NOT NULL,
    service_tier TEXT NOT NULL,
    cost_source TEXT NOT NULL,
    price_table_version TEXT NOT NULL
  ) STRICT;
  CREATE TABLE usage_rows (
    started_at_ms INTEGER NOT NULL,
    call_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    duration_ms REAL NOT NULL,
    first_output_ms REAL,
    request_id TEXT NOT NULL,
    labels TEXT NOT NULL,
    provider_request_id TEXT NOT NULL,
    input_tokens INTEGER,
    cached_input_tokens INTEGER,
    cache_write_tokens INTEGER,
    output_tokens INTEGER,
    reasoning_tokens INTEGER,
    cost_nano_usd INTEGER,
    list_nano_usd INTEGER,
    shared_id INTEGER NOT NULL REFERENCES usage_shared,
    PRIMARY KEY (started_at_ms, call_id, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX usage_rows_by_request ON usage_rows (request_id);
  CREATE VIEW usage_attempts AS SELECT * FROM usage_rows JOIN usage_shared ON usage_shared.id = usage_rows.shared_id;
  WITH before AS MATERIALIZED (
    SELECT DISTINCT method, caller, caller_group, kind, provider, target, model, reported_model, outcome, http_status, is_serving,
      is_estimated, service_tier, cost_source, price_table_version FROM usage_before
  )
  INSERT INTO usage_shared SELECT row_number() OVER (), 'before ' || row_number() OVER (), * FROM before;
  INSERT INTO usage_rows SELECT started_at_ms, call_id, number, duration_ms, first_output_ms, request_id, labels, provider_request_id,
    input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_nano_usd, list_nano_usd, id
    FROM usage_before AS b JOIN usage_shared AS s ON (
      s.method, s.caller, s.caller_group, s.kind, s.provider, s.target, s.model, s.reported_model, s.outcome, s.is_serving,
      s.is_estimated, s.service_tier, s.cost_source, s.price_table_version
    ) = (
      b.method, b.caller, b.caller_group, b.kind, b.provider, b.target, b.model, b.reported_model, b.outcome, b.is_serving,
      b.is_estimated, b.service_tier, b.cost_source, b.price_table_version
    ) AND s.http_status IS b.http_status;
  DROP TABLE usage_before;`,
  // What attempts have in common goes with the last rows that may have it. What is there already is found by nobody any more, not even by an
  // older version, which has it stand once more, for good.
  `ALTER TABLE usage_shared ADD COLUMN until_ms INTEGER;
  CREATE INDEX usage_shared_by_end ON usage_shared (until_ms);
  UPDATE usage_shared SET text = 'before ' || id, until_ms = 1 + (SELECT coalesce(max(started_at_ms), 0) FROM usage_rows);`,
];
