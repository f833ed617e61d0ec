-- What accounts have used by day, key and route, and how far entries are counted.
CREATE TABLE usage_days (
    account_id uuid NOT NULL,
    day date NOT NULL,
    key_id uuid,
    route text NOT NULL,
    credits bigint NOT NULL,
    calls bigint NOT NULL,
    CONSTRAINT usage_days_once UNIQUE NULLS NOT DISTINCT (account_id, day, key_id, route)
) WITH (fillfactor = 80);
COMMENT ON TABLE usage_days IS 'Credits of debits, less what came back of them, by the day of the debit (UTC); counted from entries, a little later than those.';
COMMENT ON COLUMN usage_days.key_id IS 'The key that asked; null = a session.';
COMMENT ON COLUMN usage_days.calls IS 'Debits of which something stayed drawn.';

CREATE TABLE usage_cursors (
    shard smallint NOT NULL,
    incarnation bigint,
    sequence bigint,
    counted_to timestamptz NOT NULL DEFAULT 'epoch',
    CONSTRAINT usage_cursors_pkey PRIMARY KEY (shard),
    CONSTRAINT usage_cursors_position_is_whole CHECK ((incarnation IS NULL) = (sequence IS NULL))
) WITH (fillfactor = 20);
COMMENT ON TABLE usage_cursors IS 'The last event of each shard whose entry is in usage_days. Whoever counts, or enters what the cursor has passed, holds its row.';
COMMENT ON COLUMN usage_cursors.incarnation IS 'Null = nothing is counted yet, not even what the book itself gave back.';
COMMENT ON COLUMN usage_cursors.counted_to IS 'usage_days has everything up to then, or all that the book had then.';
