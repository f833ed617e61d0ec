-- The one row that says how this installation was laid out.
CREATE TABLE install (
    singleton boolean NOT NULL DEFAULT true,
    shard_count smallint NOT NULL,
    certification bigint NOT NULL DEFAULT 0,
    installed_at timestamptz NOT NULL,
    CONSTRAINT install_pkey PRIMARY KEY (singleton),
    CONSTRAINT install_is_one_row CHECK (singleton),
    CONSTRAINT install_shard_count_in_range CHECK (shard_count BETWEEN 1 AND 999)
);
COMMENT ON TABLE install IS 'How this installation was laid out: one row, written by the first migration run.';
COMMENT ON COLUMN install.shard_count IS 'Shards of accounts, and as many of keys; fixed for ever, because ids hash into it.';
COMMENT ON COLUMN install.certification IS
    'The last certification number given out. A row and not a sequence: raising it past what Redis knows and taking the next number must be one step.';
