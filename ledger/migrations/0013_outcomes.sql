-- How requests ended whose debits had to be confirmed by a deadline.
CREATE TABLE outcomes (
    op uuid NOT NULL,
    account_id uuid NOT NULL,
    ended text NOT NULL,
    upstream_status smallint,
    answer_bytes bigint,
    duration_ms bigint,
    ended_at timestamptz NOT NULL,
    CONSTRAINT outcomes_pkey PRIMARY KEY (op, account_id),
    CONSTRAINT outcomes_ended_known
        CHECK (ended IN ('complete', 'caller_left', 'upstream_failed', 'gateway_failed', 'cut', 'unconfirmed')),
    CONSTRAINT outcomes_said_whole CHECK (
        CASE WHEN ended = 'unconfirmed' THEN num_nonnulls(upstream_status, answer_bytes, duration_ms) = 0
        ELSE num_nulls(answer_bytes, duration_ms) = 0 END)
);
COMMENT ON TABLE outcomes IS 'One row a debit with a deadline whose request ended, never changed; written with the batch that says so.';
COMMENT ON COLUMN outcomes.op IS 'Of the debit. It grows with time (UUIDv7), so new rows go to the end of the index.';
COMMENT ON COLUMN outcomes.ended IS 'unconfirmed: nobody settled or confirmed the debit by its deadline, so it was given back.';
COMMENT ON COLUMN outcomes.upstream_status IS 'Of the upstream''s final answer; null = there was none.';
COMMENT ON COLUMN outcomes.ended_at IS 'When that was said, by the shard''s clock.';
COMMENT ON TABLE holds IS 'Debits that wait to be settled or confirmed; a row goes when its debit is settled, confirmed, released or given back.';
