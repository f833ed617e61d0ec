-- Mails to payers that wait to be sent.
CREATE TABLE mails (
    mail_id bigint GENERATED ALWAYS AS IDENTITY,
    account_id uuid NOT NULL,
    address text,
    kind text NOT NULL,
    detail jsonb NOT NULL,
    dedupe_key text NOT NULL,
    queued_at timestamptz NOT NULL,
    CONSTRAINT mails_pkey PRIMARY KEY (mail_id),
    CONSTRAINT mails_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT mails_once UNIQUE (dedupe_key),
    CONSTRAINT mails_dedupe_key_length CHECK (octet_length(dedupe_key) BETWEEN 1 AND 400)
);
COMMENT ON TABLE mails IS 'Mails about plan and credits, queued in the transaction that changes them; another service sends them.';
COMMENT ON COLUMN mails.address IS 'Null where nobody''s address is known: then support can see why there was no mail.';
COMMENT ON COLUMN mails.dedupe_key IS 'What made it, and its kind: replaying a delivery queues nothing twice.';
