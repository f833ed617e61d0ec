-- What the book tells live state, and the undone debits it has to decide about.
CREATE TABLE outbox (
    row_id bigint GENERATED ALWAYS AS IDENTITY,
    shard_kind text NOT NULL,
    shard smallint NOT NULL,
    account_id uuid NOT NULL,
    control_version bigint,
    kind text NOT NULL,
    payload jsonb,
    digest bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at timestamptz,
    delivered_at timestamptz,
    delivered_incarnation bigint,
    delivered_sequence bigint,
    delivered_seq bigint,
    CONSTRAINT outbox_pkey PRIMARY KEY (row_id),
    CONSTRAINT outbox_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT outbox_version_once UNIQUE (account_id, control_version),
    CONSTRAINT outbox_row_is_a_change_or_a_key CHECK (
        (shard_kind = 'accounts' AND control_version IS NOT NULL AND payload IS NOT NULL AND digest IS NULL)
        OR (shard_kind = 'keys' AND control_version IS NULL AND payload IS NULL AND digest IS NOT NULL))
);
CREATE INDEX outbox_undelivered ON outbox (shard_kind, shard, row_id) WHERE delivered_at IS NULL;
COMMENT ON TABLE outbox IS 'Changes on their way to live state, in version order for each account; a key''s row says only that its entry must be written again.';
COMMENT ON COLUMN outbox.created_at IS 'By the clock of this server: how long it waits is measured against it.';
COMMENT ON COLUMN outbox.payload IS 'The change, as control applies it.';
COMMENT ON COLUMN outbox.settled_at IS 'When an install applied a change of credits to the book itself, so that its event, should it still come, is not applied again.';
COMMENT ON COLUMN outbox.delivered_at IS 'When the event that proves the delivery was drained; for keys, when Redis answered.';
COMMENT ON COLUMN outbox.delivered_seq IS 'The account''s number of that event; null when an install delivered it.';

CREATE FUNCTION tell_owners_of_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tollgate_outbox', shard_kind || ':' || shard) FROM (SELECT DISTINCT shard_kind, shard FROM appended) AS shards;
    RETURN NULL;
END
$$;
CREATE TRIGGER outbox_tell_owners AFTER INSERT ON outbox REFERENCING NEW TABLE AS appended
    FOR EACH STATEMENT EXECUTE FUNCTION tell_owners_of_outbox();

CREATE TABLE undos (
    debit_op uuid NOT NULL,
    account_id uuid NOT NULL,
    shard smallint NOT NULL,
    op uuid NOT NULL,
    not_after timestamptz NOT NULL,
    state text NOT NULL,
    returned boolean NOT NULL DEFAULT false,
    asked_at timestamptz NOT NULL,
    CONSTRAINT undos_pkey PRIMARY KEY (debit_op, account_id),
    CONSTRAINT undos_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT undos_state_known CHECK (state IN ('open', 'settled'))
);
CREATE INDEX undos_open ON undos (shard, not_after) WHERE state = 'open';
CREATE INDEX undos_open_by_account ON undos (account_id) WHERE state = 'open';
COMMENT ON TABLE undos IS 'Debits whose asker does not know their outcome and wants them undone.';
COMMENT ON COLUMN undos.not_after IS 'The debit can''t be drawn from then on: once the stream up to then is drained, an open undo has nothing to undo.';
COMMENT ON COLUMN undos.returned IS 'Whether its settlement gave credits back.';
