/**
 * The steps from an empty database to the newest schema; the table `usage_migrations` has those that were taken. They only add, so
 * that an older version can go on with what a newer one has made; a step that was released is never changed. Partitions, one for each
 * month of UTC, are made when they are needed.
 */
export const POSTGRES_MIGRATIONS: readonly string[] = [
  `CREATE TABLE usage_attempts (
    started_at_ms bigint NOT NULL,
    call_id text NOT NULL,
    number integer NOT NULL,
    duration_ms double precision NOT NULL,
    first_output_ms double precision,
    request_id text NOT NULL,
    method text NOT NULL,
    caller text NOT NULL,
    caller_group text NOT NULL,
    labels jsonb NOT NULL,
    kind text NOT NULL,
    provider text NOT NULL,
    target text NOT NULL,
    model text NOT NULL,
    reported_model text NOT NULL,
    outcome text NOT NULL,
    http_status integer,
    provider_request_id text NOT NULL,
    is_serving boolean NOT NULL,
    input_tokens bigint,
    cached_input_tokens bigint,
    cache_write_tokens bigint,
    output_tokens bigint,
    reasoning_tokens bigint,
    is_estimated boolean NOT NULL,
    service_tier text NOT NULL,
    cost_nano_usd bigint,
    cost_source text NOT NULL,
    list_nano_usd bigint,
    price_table_version text NOT NULL,
    PRIMARY KEY (call_id, number, started_at_ms)
  ) PARTITION BY RANGE (started_at_ms);
  CREATE INDEX usage_attempts_by_time ON usage_attempts (started_at_ms);
  CREATE INDEX usage_attempts_by_caller ON usage_attempts (caller, started_at_ms);
  CREATE INDEX usage_attempts_by_request ON usage_attempts (request_id);`,
];
