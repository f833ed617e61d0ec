-- The append-only ledger, by month.
CREATE SEQUENCE entry_numbers AS bigint;

CREATE TABLE entries (
    entry_id bigint NOT NULL DEFAULT nextval('entry_numbers'),
    account_id uuid NOT NULL,
    shard smallint NOT NULL,
    incarnation bigint,
    sequence bigint,
    seq bigint,
    op uuid,
    debit_op uuid,
    kind text NOT NULL,
    credits bigint NOT NULL,
    lot_ids bigint[] NOT NULL,
    lot_credits bigint[] NOT NULL,
    lapsed bigint NOT NULL DEFAULT 0,
    key_id uuid,
    route text,
    remaining_after bigint,
    budget_used_after bigint,
    budget_period_end timestamptz,
    outbox_row bigint,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT entries_kind_known CHECK (kind IN ('grant', 'debit', 'debit_duplicate', 'give_back', 'duplicate_return', 'undo', 'expire', 'claw_back')),
    CONSTRAINT entries_lots_pair_up CHECK (cardinality(lot_ids) = cardinality(lot_credits))
) PARTITION BY RANGE (occurred_at);
ALTER SEQUENCE entry_numbers OWNED BY entries.entry_id;
CREATE TABLE entries_default PARTITION OF entries DEFAULT;

CREATE UNIQUE INDEX entries_once_in_stream ON entries (shard, incarnation, sequence, occurred_at);
CREATE UNIQUE INDEX entries_once_in_account ON entries (account_id, occurred_at, seq);
CREATE INDEX entries_by_op ON entries (op) WHERE op IS NOT NULL;
CREATE INDEX entries_by_debit_op ON entries (debit_op) WHERE debit_op IS NOT NULL;

COMMENT ON TABLE entries IS 'One row a change of a balance, never changed and never deleted. The sum over a lot is what remains of it.';
COMMENT ON INDEX entries_once_in_account IS 'Its order also serves the reading of an account''s entries by time: one index fewer to write.';
COMMENT ON COLUMN entries.sequence IS 'With incarnation: its event in the stream. Null where the book itself made the entry (a grant, a change settled at install).';
COMMENT ON COLUMN entries.kind IS
    'debit_duplicate: a second debit event of one op. duplicate_return: what gives that back, so that the first debit can still be given back.';
COMMENT ON COLUMN entries.credits IS 'Effect on the balance: negative for a debit.';
COMMENT ON COLUMN entries.lot_credits IS 'The same, by lot of lot_ids; their sum is credits.';
COMMENT ON COLUMN entries.lapsed IS 'Credits of a give-back whose lot has expired meanwhile: they lower the budget''s use and return to nobody.';
COMMENT ON COLUMN entries.occurred_at IS 'By the shard''s clock; the month it falls in is its partition.';

CREATE FUNCTION refuse_change_of_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries are append-only: % refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'entries_append_only';
END
$$;
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE ON entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_entries();
CREATE TRIGGER entries_not_emptied BEFORE TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_entries();
CREATE TRIGGER entries_not_emptied BEFORE TRUNCATE ON entries_default
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_entries();

-- Looks before it locks: creating a partition stops writers for a moment, and most calls find nothing to do.
CREATE FUNCTION ensure_entry_partition(instant timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    first_day timestamptz := date_trunc('month', instant, 'UTC');
    next_month timestamptz := date_trunc('month', first_day + interval '32 days', 'UTC');
    partition text := 'entries_' || to_char(first_day AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Owners that start together want the same month, and IF NOT EXISTS does not wait for one that is being made.
    LOCK TABLE entries IN SHARE UPDATE EXCLUSIVE MODE;
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF entries FOR VALUES FROM (%L) TO (%L)', partition, first_day, next_month);
    EXECUTE format('CREATE OR REPLACE TRIGGER entries_not_emptied BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_entries()', partition);
    RETURN true;
END
$$;
COMMENT ON FUNCTION ensure_entry_partition IS 'Makes the partition of the month that holds an instant; false when it is there.';
