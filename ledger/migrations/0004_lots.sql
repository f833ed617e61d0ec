-- Grants of credits.
CREATE TABLE lots (
    lot_id bigint GENERATED ALWAYS AS IDENTITY,
    account_id uuid NOT NULL,
    shard smallint NOT NULL,
    product text NOT NULL,
    original bigint NOT NULL,
    remaining bigint NOT NULL,
    granted_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    swept_at timestamptz,
    sweep_row bigint,
    control_version bigint NOT NULL,
    source_kind text,
    source_id text,
    CONSTRAINT lots_pkey PRIMARY KEY (lot_id),
    CONSTRAINT lots_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT lots_product_length CHECK (char_length(product) BETWEEN 1 AND 200),
    CONSTRAINT lots_original_in_range CHECK (original BETWEEN 1 AND 9007199254740991),
    CONSTRAINT lots_remaining_within_original CHECK (remaining BETWEEN 0 AND original),
    CONSTRAINT lots_expire_after_grant CHECK (expires_at >= granted_at),
    CONSTRAINT lots_source_is_whole CHECK ((source_kind IS NULL) = (source_id IS NULL)),
    CONSTRAINT lots_source_once UNIQUE (source_kind, source_id)
) WITH (fillfactor = 80);
CREATE INDEX lots_by_account ON lots (account_id, lot_id);
CREATE INDEX lots_unswept ON lots (shard, expires_at) WHERE swept_at IS NULL;
COMMENT ON TABLE lots IS 'Grants of credits. Remaining follows the events of live state; a grant counts at once.';
COMMENT ON COLUMN lots.expires_at IS 'First instant at which it can''t be drawn. Equal to granted_at when an operator ended it before it began.';
COMMENT ON COLUMN lots.swept_at IS 'When what was left of it was taken out after its expiry.';
COMMENT ON COLUMN lots.sweep_row IS 'Outbox row that tells live state to take out what is left.';
COMMENT ON COLUMN lots.source_id IS 'With source_kind: what paid for it. One payment grants once, whoever reports it.';
