-- What keys have drawn by day, holds that are open, and requests under an Idempotency-Key.
CREATE TABLE key_days (
    key_id uuid NOT NULL,
    day date NOT NULL,
    account_id uuid NOT NULL,
    drawn bigint NOT NULL,
    CONSTRAINT key_days_pkey PRIMARY KEY (key_id, day)
) WITH (fillfactor = 80);
CREATE INDEX key_days_by_account ON key_days (account_id, day);
COMMENT ON TABLE key_days IS 'Credits drawn by keys, less given back, by the day of the debit (UTC); follows the events.';
COMMENT ON COLUMN key_days.key_id IS 'The key against which they count (api_keys.rates_of), so that rotating doubles nothing.';
INSERT INTO key_days (key_id, day, account_id, drawn)
SELECT keys.rates_of, (debit.occurred_at AT TIME ZONE 'UTC')::date, debit.account_id, sum(-debit.credits - coalesce(back.credits, 0))
FROM entries AS debit
JOIN api_keys AS keys ON keys.key_id = debit.key_id
LEFT JOIN (
    SELECT account_id, debit_op, sum(credits + lapsed) AS credits FROM entries WHERE kind = 'give_back' GROUP BY account_id, debit_op
) AS back ON back.account_id = debit.account_id AND back.debit_op = debit.op
WHERE debit.kind = 'debit'
GROUP BY keys.rates_of, (debit.occurred_at AT TIME ZONE 'UTC')::date, debit.account_id;

CREATE TABLE holds (
    op uuid NOT NULL,
    account_id uuid NOT NULL,
    shard smallint NOT NULL,
    hold_until timestamptz NOT NULL,
    drawn_at timestamptz NOT NULL,
    CONSTRAINT holds_pkey PRIMARY KEY (op, account_id)
);
CREATE INDEX holds_due ON holds (shard, hold_until);
COMMENT ON TABLE holds IS 'Debits that wait to be settled; a row goes when its hold is settled, released or given back.';
COMMENT ON COLUMN holds.hold_until IS 'From then on, by the shard''s clock, the owner of the shard releases it.';

CREATE TABLE idempotency_marks (
    account_id uuid NOT NULL,
    key uuid NOT NULL,
    shard smallint NOT NULL,
    op uuid NOT NULL,
    fingerprint uuid NOT NULL,
    in_use_until timestamptz NOT NULL,
    drawn_at timestamptz NOT NULL,
    CONSTRAINT idempotency_marks_pkey PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_marks_by_age ON idempotency_marks (shard, drawn_at);
CREATE INDEX idempotency_marks_by_op ON idempotency_marks (op);
COMMENT ON TABLE idempotency_marks IS 'Debits under an Idempotency-Key, a day long; a row goes when its debit is given back.';
COMMENT ON COLUMN idempotency_marks.key IS 'The first 128 bits of the SHA-256 of what the caller wrote.';

ALTER TABLE undos ADD COLUMN kept bigint;
COMMENT ON COLUMN undos.kept IS 'What stays drawn, where the debit was a hold that was settled; null = nothing does.';

ALTER TABLE entries DROP CONSTRAINT entries_kind_known;
ALTER TABLE entries ADD CONSTRAINT entries_kind_known
    CHECK (kind IN ('grant', 'debit', 'debit_duplicate', 'give_back', 'settle', 'duplicate_return', 'undo', 'expire', 'claw_back'));
