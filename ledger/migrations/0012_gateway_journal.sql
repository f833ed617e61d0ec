-- What gateways' journals witness: debits that are not in the book yet, those that never will be, and requests that were refused.
CREATE TABLE journal_runs (
    run uuid NOT NULL,
    name text NOT NULL,
    started_at timestamptz NOT NULL,
    file bigint NOT NULL DEFAULT 1,
    position bigint NOT NULL DEFAULT 0,
    posted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    whole_until timestamptz,
    ended boolean NOT NULL DEFAULT false,
    CONSTRAINT journal_runs_pkey PRIMARY KEY (run),
    CONSTRAINT journal_runs_name_length CHECK (char_length(name) <= 200)
);
COMMENT ON TABLE journal_runs IS 'Runs of gateways that keep a journal, and how far each has posted it.';
COMMENT ON COLUMN journal_runs.position IS 'With file: up to where its journal was taken. What is posted again from before that is known.';
COMMENT ON COLUMN journal_runs.whole_until IS 'Everything that it did up to then is posted; by the clock of this server.';
COMMENT ON COLUMN journal_runs.ended IS 'It is over, and all of it is posted.';

CREATE TABLE journal_gaps (
    run uuid NOT NULL,
    file bigint NOT NULL,
    position bigint NOT NULL,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    records bigint NOT NULL,
    CONSTRAINT journal_gaps_pkey PRIMARY KEY (run, file, position, from_at)
);
COMMENT ON TABLE journal_gaps IS 'Times in which a gateway could not write its journal: reports about them are incomplete.';

CREATE TABLE journal_debits (
    row_id bigint GENERATED ALWAYS AS IDENTITY,
    op uuid NOT NULL,
    account_id uuid NOT NULL,
    shard smallint NOT NULL,
    incarnation bigint NOT NULL,
    sequence bigint NOT NULL,
    credits bigint NOT NULL,
    drawn_at timestamptz NOT NULL,
    kept bigint,
    upstream_status smallint,
    answer_bytes bigint,
    duration_ms bigint,
    CONSTRAINT journal_debits_pkey PRIMARY KEY (op, account_id)
);
CREATE INDEX journal_debits_by_shard ON journal_debits (shard, row_id);
COMMENT ON TABLE journal_debits IS 'Debits that a gateway has drawn and the book did not have when they were posted: recorded soon, or lost.';
COMMENT ON COLUMN journal_debits.kept IS 'What the caller paid in the end; null = the gateway has not said yet.';

CREATE TABLE losses (
    op uuid NOT NULL,
    account_id uuid NOT NULL,
    shard smallint NOT NULL,
    incarnation bigint NOT NULL,
    sequence bigint NOT NULL,
    credits bigint NOT NULL,
    drawn_at timestamptz NOT NULL,
    kept bigint,
    upstream_status smallint,
    answer_bytes bigint,
    duration_ms bigint,
    incident_id bigint NOT NULL,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT losses_pkey PRIMARY KEY (op, account_id),
    CONSTRAINT losses_incident_exists FOREIGN KEY (incident_id) REFERENCES incidents (incident_id)
);
CREATE INDEX losses_by_incident ON losses (incident_id, account_id);
CREATE INDEX losses_by_account ON losses (account_id, drawn_at);
COMMENT ON TABLE losses IS 'Debits that were drawn and whose events were lost with live state: their callers were served and nothing was booked.';

CREATE TABLE journal_returns (
    op uuid NOT NULL,
    account_id uuid NOT NULL,
    shard smallint NOT NULL,
    incarnation bigint NOT NULL,
    sequence bigint NOT NULL,
    kept bigint NOT NULL,
    drawn_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    asked_at timestamptz,
    CONSTRAINT journal_returns_pkey PRIMARY KEY (op, account_id)
);
CREATE INDEX journal_returns_by_shard ON journal_returns (shard, ended_at);
COMMENT ON TABLE journal_returns IS 'Give-backs and settlements that a gateway has promised and the book did not have when they were posted.';
COMMENT ON COLUMN journal_returns.op IS 'The debit''s.';
COMMENT ON COLUMN journal_returns.asked_at IS 'By the shard''s clock: when its owner has asked for it in the gateway''s place.';

CREATE TABLE refusals (
    request_id uuid NOT NULL,
    account_id uuid,
    key_id uuid,
    route text,
    code text NOT NULL,
    price bigint,
    detail jsonb NOT NULL,
    gateway text NOT NULL,
    refused_at timestamptz NOT NULL,
    CONSTRAINT refusals_pkey PRIMARY KEY (request_id)
);
CREATE INDEX refusals_by_time ON refusals (refused_at);
COMMENT ON TABLE refusals IS 'Requests that gateways have refused, with the numbers that caused it; kept for a set time.';
COMMENT ON COLUMN refusals.refused_at IS 'By the gateway''s clock: when the request began.';
