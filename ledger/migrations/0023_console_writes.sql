-- Writes that people ask for under an Idempotency-Key, so that asking again does nothing twice.
CREATE TABLE console_writes (
    who text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    began_at timestamptz NOT NULL,
    answer jsonb,
    CONSTRAINT console_writes_pkey PRIMARY KEY (who, key),
    CONSTRAINT console_writes_who_length CHECK (octet_length(who) BETWEEN 1 AND 400),
    CONSTRAINT console_writes_key_length CHECK (octet_length(key) BETWEEN 1 AND 255),
    CONSTRAINT console_writes_fingerprint_is_sha256 CHECK (octet_length(fingerprint) = 32),
    CONSTRAINT console_writes_answer_length CHECK (octet_length(answer::text) <= 65536)
);
CREATE INDEX console_writes_by_age ON console_writes (began_at);
COMMENT ON TABLE console_writes IS 'Writes of the last 24 hours that were asked for under a key, and what they were answered.';
COMMENT ON COLUMN console_writes.who IS 'Who asks: one person''s keys say nothing about another''s.';
COMMENT ON COLUMN console_writes.fingerprint IS 'SHA-256 of what was asked: the same key for something else is a mistake.';
COMMENT ON COLUMN console_writes.answer IS 'Null while it is being done; nobody knows what became of it if that never ends.';
