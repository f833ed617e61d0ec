-- Dead letters: what is known of an event that can't be applied, and what operators decide about it.
ALTER TABLE dead_letters
    ADD COLUMN kind text NOT NULL DEFAULT 'undecodable',
    ADD COLUMN account_id uuid,
    ADD COLUMN seq bigint,
    ADD COLUMN op uuid,
    ADD COLUMN credits bigint,
    ADD COLUMN occurred_at timestamptz,
    ADD COLUMN bytes_total bigint NOT NULL DEFAULT 0,
    ADD COLUMN follows boolean NOT NULL DEFAULT false,
    ADD COLUMN state text NOT NULL DEFAULT 'open',
    ADD COLUMN decision_id bigint,
    ADD CONSTRAINT dead_letters_state_known CHECK (state IN ('open', 'applied', 'discarded')),
    ADD CONSTRAINT dead_letters_resolved_or_open CHECK ((state = 'open') = (resolved_at IS NULL)),
    ADD CONSTRAINT dead_letters_bytes_bounded CHECK (octet_length(bytes) <= 1048576);
CREATE INDEX dead_letters_open ON dead_letters (shard, incarnation, account_id, sequence) WHERE state = 'open';
CREATE INDEX dead_letters_by_account ON dead_letters (account_id, shard, incarnation, sequence);
COMMENT ON TABLE dead_letters IS 'Events that could not be applied, as they stood in the stream, and those of the same account that came after them.';
COMMENT ON COLUMN dead_letters.bytes IS 'Names and values of its fields in order, each with its length before it; at most 1 MiB of them.';
COMMENT ON COLUMN dead_letters.bytes_total IS 'How many bytes there were; more than are kept: it can only be discarded.';
COMMENT ON COLUMN dead_letters.account_id IS 'The account it is about, as far as it could be read; need not exist. With an open letter of the incarnation that lives it is marked: its further events are parked, too.';
COMMENT ON COLUMN dead_letters.credits IS 'What it drew, where it is a debit that can be read.';
COMMENT ON COLUMN dead_letters.follows IS 'Parked only because an earlier event of its account is.';
COMMENT ON COLUMN dead_letters.reason IS 'Why it could not be applied.';

CREATE TABLE dead_letter_decisions (
    decision_id bigint GENERATED ALWAYS AS IDENTITY,
    shard smallint NOT NULL,
    account_id uuid,
    incarnation bigint NOT NULL,
    discarded bigint[] NOT NULL,
    skips_missing boolean NOT NULL,
    asked_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'asked',
    applied bigint NOT NULL DEFAULT 0,
    refusal text,
    done_at timestamptz,
    CONSTRAINT dead_letter_decisions_pkey PRIMARY KEY (decision_id),
    CONSTRAINT dead_letter_decisions_state_known CHECK (state IN ('asked', 'applied', 'done', 'refused')),
    CONSTRAINT dead_letter_decisions_end CHECK ((state IN ('done', 'refused')) = (done_at IS NOT NULL)),
    CONSTRAINT dead_letter_decisions_refusal CHECK ((state = 'refused') = (refusal IS NOT NULL))
);
CREATE INDEX dead_letter_decisions_waiting ON dead_letter_decisions (shard, decision_id) WHERE state IN ('asked', 'applied');
COMMENT ON TABLE dead_letter_decisions IS 'What operators decided about dead letters; the owner of the shard carries it out. Who and why is in the audit.';
COMMENT ON COLUMN dead_letter_decisions.discarded IS 'Sequences of the letters that are given up; every other open letter of the account is applied.';
COMMENT ON COLUMN dead_letter_decisions.skips_missing IS 'Numbers of the account that no letter has are given up; its live state is then written anew from the book.';
COMMENT ON COLUMN dead_letter_decisions.state IS 'applied: the book has it, and live state of the account is still to be written anew.';

CREATE TABLE seq_gaps (
    account_id uuid NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    decision_id bigint NOT NULL,
    CONSTRAINT seq_gaps_pkey PRIMARY KEY (account_id, first_seq),
    CONSTRAINT seq_gaps_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT seq_gaps_bounded CHECK (last_seq >= first_seq AND last_seq - first_seq < 10000)
);
COMMENT ON TABLE seq_gaps IS 'Numbers of accounts'' events that have no entry, because an operator gave the events up.';
