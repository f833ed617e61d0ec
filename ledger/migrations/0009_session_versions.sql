-- Which sessions were ended before they expire.
CREATE TABLE session_versions (
    account_id uuid NOT NULL,
    subject text NOT NULL,
    version bigint NOT NULL,
    raised_at timestamptz NOT NULL,
    CONSTRAINT session_versions_pkey PRIMARY KEY (account_id, subject),
    CONSTRAINT session_versions_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT session_versions_subject_length CHECK (octet_length(subject) <= 256),
    CONSTRAINT session_versions_version_in_range CHECK (version BETWEEN 1 AND 9007199254740991)
);
COMMENT ON TABLE session_versions IS 'The least version that a session''s token must carry to be good, for everybody of an account and for single persons; no row = 0.';
COMMENT ON COLUMN session_versions.subject IS 'The person, as the claim sub names it; empty = everybody. At most 1000 persons an account, each above everybody''s.';
