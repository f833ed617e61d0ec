-- When each account was last found true.
CREATE TABLE verified (
    account_id uuid NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT verified_pkey PRIMARY KEY (account_id),
    CONSTRAINT verified_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE verified IS 'The last time an account was recomputed from its entries and compared with live state, and nothing differed.';
COMMENT ON COLUMN verified.seq IS 'The account''s number of the last event that live state had then: everything up to it was verified.';
