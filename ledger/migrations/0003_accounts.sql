-- Who pays, and the keys that prove it.
CREATE TABLE accounts (
    account_id uuid NOT NULL,
    name text NOT NULL,
    email text,
    shard smallint NOT NULL,
    status text NOT NULL,
    anchor_day smallint NOT NULL,
    budget_limit bigint NOT NULL DEFAULT 0,
    budget_used bigint NOT NULL DEFAULT 0,
    budget_period_end timestamptz NOT NULL DEFAULT 'epoch',
    seq bigint NOT NULL DEFAULT 0,
    control_version bigint NOT NULL DEFAULT 0,
    control_row bigint NOT NULL DEFAULT 0,
    overdraft bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (account_id),
    CONSTRAINT accounts_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    CONSTRAINT accounts_email_length CHECK (char_length(email) BETWEEN 3 AND 320),
    CONSTRAINT accounts_status_known
        CHECK (status IN ('trial', 'active', 'approved', 'pending', 'payment_failed', 'suspended')),
    CONSTRAINT accounts_anchor_day_in_every_month CHECK (anchor_day BETWEEN 1 AND 28),
    CONSTRAINT accounts_budget_limit_in_range CHECK (budget_limit BETWEEN 0 AND 9007199254740991),
    CONSTRAINT accounts_budget_used_in_range CHECK (budget_used BETWEEN 0 AND 9007199254740991),
    CONSTRAINT accounts_overdraft_in_range CHECK (overdraft BETWEEN 0 AND 9007199254740991)
) WITH (fillfactor = 80);
CREATE INDEX accounts_by_shard ON accounts (shard, account_id);
CREATE INDEX accounts_by_name ON accounts (lower(name), account_id);
COMMENT ON TABLE accounts IS 'Who pays: status, budget, and how far the book has followed its live state.';
COMMENT ON COLUMN accounts.budget_limit IS 'Credits a month; 0 = no cap.';
COMMENT ON COLUMN accounts.budget_used IS 'Credits drawn, less given back, in the period that ends at budget_period_end; follows the events.';
COMMENT ON COLUMN accounts.budget_period_end IS 'The latest period of any debit in the book; the epoch before the first.';
COMMENT ON COLUMN accounts.seq IS 'The account''s own count of its events: number of the last one in the book.';
COMMENT ON COLUMN accounts.control_version IS 'Version of the last change told to live state; rows of one account rise with it.';
COMMENT ON COLUMN accounts.control_row IS 'Outbox row of that change.';
COMMENT ON COLUMN accounts.overdraft IS 'Credits that live state drew and the lots of the book did not have. Anything but 0 is an incident.';

CREATE TABLE api_keys (
    key_id uuid NOT NULL,
    account_id uuid NOT NULL,
    digest bytea NOT NULL,
    key_shard smallint NOT NULL,
    prefix text NOT NULL,
    name text NOT NULL,
    mode text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (key_id),
    CONSTRAINT api_keys_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT api_keys_digest_once UNIQUE (digest),
    CONSTRAINT api_keys_digest_is_sha256 CHECK (octet_length(digest) = 32),
    CONSTRAINT api_keys_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    CONSTRAINT api_keys_mode_known CHECK (mode IN ('live', 'test'))
);
CREATE INDEX api_keys_by_account ON api_keys (account_id, created_at);
CREATE INDEX api_keys_by_shard ON api_keys (key_shard, digest);
COMMENT ON TABLE api_keys IS 'API keys: the SHA-256 only, never the key.';
COMMENT ON COLUMN api_keys.prefix IS 'First letters of the key, to tell keys apart; no usable part of the secret.';
